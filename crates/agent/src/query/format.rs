//! How a query is written: `csv`, `csv,noheader,nounits`, `json`.

use std::str::FromStr;

/// How a query is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Format {
    pub(super) json: bool,
    pub(super) header: bool,
    pub(super) units: bool,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut format = Self {
            json: false,
            header: true,
            units: true,
        };
        let mut is_csv = false;
        for word in text.split(',').map(str::trim) {
            match word {
                "csv" => is_csv = true,
                "json" => format.json = true,
                "noheader" => format.header = false,
                "nounits" => format.units = false,
                _ => {
                    return Err(
                        "write csv, csv,noheader, csv,nounits, csv,noheader,nounits or json".to_owned(),
                    );
                }
            }
        }
        match (is_csv, format.json) {
            (true, true) => Err("it is either csv or json".to_owned()),
            (false, false) => Err("noheader and nounits come after csv".to_owned()),
            _ => Ok(format),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_those_of_nvidia_smi_and_json() {
        let format = |json, header, units| Ok(Format { json, header, units });
        assert_eq!("csv".parse(), format(false, true, true));
        assert_eq!("csv,noheader,nounits".parse(), format(false, false, false));
        assert_eq!("noheader, csv".parse(), format(false, false, true));
        assert_eq!("json".parse(), format(true, true, true));
        for wrong in ["", "xml", "noheader", "csv,json", "csv,"] {
            assert!(wrong.parse::<Format>().is_err(), "{wrong}");
        }
    }
}
