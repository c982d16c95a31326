//! How the shards of a training bring together what they learn.

use crate::{Compression, Error};
use serde::{Deserialize, Serialize};

/// What is exchanged between the shards; by default whole gradients.
///
/// ```
/// use train::{Compression, Strategy};
/// let strategy = Strategy::from_json(r#"{"gradient_compression": "bf16"}"#)?;
/// assert_eq!(strategy.gradient_compression, Some(Compression::Bf16));
/// assert_eq!(Strategy::from_json("{}")?, Strategy::default());
/// # Ok::<(), train::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Strategy {
    /// How gradients become smaller on their way.
    pub gradient_compression: Option<Compression>,
}

impl Strategy {
    /// Reads a strategy from its JSON form; settings that are left out have their defaults.
    ///
    /// # Errors
    /// [`Error::Definition`] for unknown settings or values.
    pub fn from_json(json: &str) -> Result<Self, Error> {
        serde_json::from_str(json).map_err(|error| Error::Definition {
            what: "strategy",
            message: error.to_string(),
            example: r#"{"gradient_compression": "bf16"}"#,
        })
    }
}
