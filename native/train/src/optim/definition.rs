use super::{Common, Method, Optimizer};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The serde form of an optimizer: the settings of method and surroundings in one map.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Definition {
    class: String,
    #[serde(default)]
    config: Map<String, Value>,
}

impl TryFrom<Definition> for Optimizer {
    type Error = String;

    fn try_from(Definition { class, config }: Definition) -> Result<Optimizer, String> {
        let known = map(json!(Common::default()));
        let (common, own): (Map<_, _>, Map<_, _>) =
            config.into_iter().partition(|(setting, _)| known.contains_key(setting));
        let method: Method = serde_json::from_value(json!({"class": class, "config": own}))
            .map_err(|error| {
                let common: Vec<String> = known.keys().map(|name| format!("`{name}`")).collect();
                format!("{error}; each optimizer also has {}", common.join(", "))
            })?;
        let common = serde_json::from_value(Value::Object(common));
        Ok(Optimizer { method, common: common.map_err(|error| error.to_string())? })
    }
}

impl From<Optimizer> for Definition {
    fn from(Optimizer { method, common }: Optimizer) -> Definition {
        let mut method = map(json!(method));
        let class = method.remove("class");
        let mut config = method.remove("config").map(map).unwrap_or_default();
        config.extend(map(json!(common)));
        Definition { class: class.and_then(string).unwrap_or_default(), config }
    }
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

fn string(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}
