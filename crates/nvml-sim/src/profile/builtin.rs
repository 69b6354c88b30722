//! The profiles that are compiled in.

const BUILTIN: &[(&str, &str)] = &[
    ("h100-sxm-8", include_str!("../../profiles/h100-sxm-8.toml")),
    ("h100-16", include_str!("../../profiles/h100-16.toml")),
    ("h100-mig", include_str!("../../profiles/h100-mig.toml")),
    ("h200-8", include_str!("../../profiles/h200-8.toml")),
    ("b200-8", include_str!("../../profiles/b200-8.toml")),
    ("l40s-4", include_str!("../../profiles/l40s-4.toml")),
    ("a100-nvlink-2", include_str!("../../profiles/a100-nvlink-2.toml")),
    ("a100-pcie-4", include_str!("../../profiles/a100-pcie-4.toml")),
    ("a100-mig", include_str!("../../profiles/a100-mig.toml")),
    ("a100-vgpu", include_str!("../../profiles/a100-vgpu.toml")),
    ("rtx-4090", include_str!("../../profiles/rtx-4090.toml")),
    ("t4", include_str!("../../profiles/t4.toml")),
    ("gb10", include_str!("../../profiles/gb10.toml")),
    ("no-gpu", include_str!("../../profiles/no-gpu.toml")),
    ("no-driver", include_str!("../../profiles/no-driver.toml")),
];

/// The names of the built-in profiles; the first one is the default.
pub fn names() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|(name, _)| *name)
}

/// The text of a built-in profile.
pub(super) fn text(name: &str) -> Option<&'static str> {
    BUILTIN
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}
