//! A dashboard in the JSON that Grafana imports.

use serde_json::{Value, json};

use super::source::{COLUMNS, Dashboard, Kind, Panel, Shows, Variable};

/// The version of Grafana's schema that is written; later ones are migrated from it when a dashboard is opened.
const SCHEMA: u32 = 39;

/// Where a panel reads from: what the reader chose.
fn datasource() -> Value {
    json!({"type": "prometheus", "uid": "${datasource}"})
}

/// The whole dashboard.
pub(super) fn json(dashboard: &Dashboard) -> Value {
    json!({
        "uid": dashboard.uid,
        "title": format!("gpulse / {}", dashboard.title),
        "description": dashboard.description,
        "tags": ["gpulse", "gpu"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": true,
        "graphTooltip": 1,
        "refresh": "30s",
        "timezone": "browser",
        "time": {"from": "now-1h", "to": "now"},
        "links": [{
            "type": "dashboards", "title": "gpulse", "tags": ["gpulse"],
            "asDropdown": false, "includeVars": true, "keepTime": true,
        }],
        "annotations": {"list": []},
        "templating": {"list": variables(&dashboard.variables)},
        "panels": panels(dashboard),
    })
}

fn variables(chosen: &[Variable]) -> Vec<Value> {
    let source = json!({
        "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0,
    });
    let mut list = vec![source];
    list.extend(chosen.iter().map(|choice| {
        let (name, label, query, several) = match choice {
            Variable::Job => ("job", "Job", "label_values(gpulse_driver_up, job)", true),
            Variable::Instance => (
                "instance",
                "Node",
                "label_values(gpulse_driver_up{job=~\"$job\"}, instance)",
                false,
            ),
            Variable::Gpu => (
                "gpu",
                "GPU",
                "label_values(gpulse_gpu_up{job=~\"$job\",instance=~\"$instance\"}, gpu)",
                true,
            ),
        };
        let mut variable = json!({
            "name": name, "label": label, "type": "query", "datasource": datasource(),
            "query": {"query": query, "refId": name}, "definition": query,
            "refresh": 2, "sort": 3, "multi": several, "includeAll": several,
        });
        // All jobs are those that were offered: `.+` would be every job of the site, and `up` is not of agents only.
        if *choice == Variable::Gpu {
            variable["allValue"] = json!(".+");
        }
        if several {
            variable["current"] = json!({"selected": true, "text": ["All"], "value": ["$__all"]});
        }
        variable
    }));
    list
}

/// Rows and panels in one list, each with its place in the grid.
fn panels(dashboard: &Dashboard) -> Vec<Value> {
    let mut list = Vec::new();
    let mut top = 0;
    for row in &dashboard.row {
        list.push(json!({
            "id": list.len() + 1, "type": "row", "title": row.title, "collapsed": false, "panels": [],
            "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": top},
        }));
        top += 1;
        let (mut left, mut tallest) = (0, 0);
        for panel in &row.panel {
            if left + panel.width > COLUMNS {
                top += tallest;
                (left, tallest) = (0, 0);
            }
            let place = json!({"h": panel.height(), "w": panel.width, "x": left, "y": top});
            list.push(show(panel, list.len() + 1, &place));
            left += panel.width;
            tallest = tallest.max(panel.height());
        }
        top += tallest;
    }
    list
}

fn show(panel: &Panel, id: usize, place: &Value) -> Value {
    let kind = match panel.kind {
        Kind::Lines => "timeseries",
        Kind::Stat => "stat",
        Kind::Bars => "bargauge",
        Kind::Table => "table",
        Kind::Timeline => "state-timeline",
    };
    let mut shown = json!({
        "id": id, "type": kind, "title": panel.title, "description": panel.description,
        "datasource": datasource(), "gridPos": place, "options": options(panel),
        "fieldConfig": {"defaults": field(panel), "overrides": []},
        "targets": targets(panel),
    });
    if panel.kind == Kind::Table {
        // Whether a row is there is the message: its time and its 1 say nothing.
        let hidden = json!({"Time": true, "__name__": true, "job": true});
        shown["transformations"] = json!([
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": hidden}},
        ]);
    }
    shown
}

fn targets(panel: &Panel) -> Vec<Value> {
    let is_latest = matches!(panel.kind, Kind::Stat | Kind::Bars | Kind::Table);
    let format = if panel.kind == Kind::Table {
        "table"
    } else {
        "time_series"
    };
    let letters = ('A'..='Z').map(String::from);
    letters
        .zip(&panel.targets)
        .map(|(letter, (expression, legend))| {
            json!({
                "refId": letter, "datasource": datasource(), "expr": expression, "legendFormat": legend,
                "format": format, "instant": is_latest, "range": !is_latest,
            })
        })
        .collect()
}

fn options(panel: &Panel) -> Value {
    let latest = json!({"calcs": ["lastNotNull"], "fields": "", "values": false});
    match panel.kind {
        Kind::Lines => json!({
            "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["mean", "max", "lastNotNull"]},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }),
        Kind::Stat => json!({
            "reduceOptions": latest, "colorMode": "value", "graphMode": "none",
            "textMode": if panel.shows == Shows::Name { "name" } else { "value_and_name" },
        }),
        Kind::Bars => {
            json!({"reduceOptions": latest, "orientation": "horizontal", "displayMode": "gradient"})
        }
        Kind::Table => json!({"showHeader": true}),
        Kind::Timeline => json!({"mergeValues": true, "showValue": "never", "legend": {"showLegend": false}}),
    }
}

fn field(panel: &Panel) -> Value {
    let mut field = json!({"unit": panel.unit, "custom": {}});
    if panel.kind == Kind::Lines {
        field["min"] = json!(0);
        field["custom"] = json!({
            "lineWidth": 1, "fillOpacity": 5, "showPoints": "never", "spanNulls": false,
            "stacking": {"mode": if panel.stacked { "normal" } else { "none" }, "group": "A"},
        });
    }
    if let Some(max) = panel.max {
        field["max"] = json!(max);
    }
    if !panel.steps.is_empty() {
        // The first colour holds for everything below, which Grafana writes as null.
        let steps = panel.steps.iter().enumerate().map(|(place, (from, colour))| {
            json!({"value": if place == 0 { Value::Null } else { json!(from) }, "color": colour})
        });
        let steps: Vec<_> = steps.collect();
        field["thresholds"] = json!({"mode": "absolute", "steps": steps});
    }
    field
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dashboard(panels: &str) -> Value {
        let head = "uid = 'u'\ntitle = 't'\ndescription = 'd'\nvariables = ['job', 'gpu']\nselector = 'a=\"b\"'\n\
                    [[row]]\ntitle = 'r'\n";
        json(&Dashboard::parse(&format!("{head}{panels}")).unwrap())
    }

    #[test]
    fn panels_fill_the_grid_from_the_left_and_go_on_below() {
        let panel =
            |width: u32| format!("[[row.panel]]\ntitle = 'p'\nwidth = {width}\ntargets = [['x', '']]\n");
        let shown = dashboard(&[panel(16), panel(8), panel(12)].concat());
        let places = shown["panels"].as_array().unwrap().iter();
        let places: Vec<_> = places
            .map(|panel| (&panel["gridPos"]["x"], &panel["gridPos"]["y"]))
            .collect();
        assert_eq!(
            serde_json::to_string(&places).unwrap(),
            "[[0,0],[0,1],[16,1],[0,9]]"
        );
    }

    #[test]
    fn every_reference_to_the_data_source_is_the_readers_choice() {
        let shown = dashboard("[[row.panel]]\ntitle = 'p'\nkind = 'table'\ntargets = [['x{@}', '']]\n");
        assert_eq!(shown["panels"][1]["targets"][0]["expr"], "x{a=\"b\"}");
        assert_eq!(shown["panels"][1]["datasource"]["uid"], "${datasource}");
        assert_eq!(shown["templating"]["list"][0]["type"], "datasource");
        assert_eq!(shown["templating"]["list"][2]["name"], "gpu");
    }

    #[test]
    fn all_jobs_are_those_that_were_offered() {
        let shown = dashboard("[[row.panel]]\ntitle = 'p'\ntargets = [['x', '']]\n");
        let [_, job, gpu] = shown["templating"]["list"].as_array().unwrap().as_slice() else {
            panic!("{shown}");
        };
        assert_eq!((&job["name"], &job["includeAll"]), (&json!("job"), &json!(true)));
        assert_eq!(job["allValue"], Value::Null);
        assert_eq!(gpu["allValue"], ".+");
    }
}
