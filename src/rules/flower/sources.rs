// SPDX-License-Identifier: Apache-2.0
//! What Flower's container gets from lists of variables, as far as anybody looked into them.

use k8s_openapi::api::core::v1::EnvFromSource;

use super::given::{Flower, Given, PATH, Place, component};

impl<'a> Flower<'a> {
    /// A variable from `envFrom`, the component's own lists first.
    pub(super) fn listed(&self, name: &str) -> Given<'a> {
        let mut unknown = false;
        for (list, path) in
            [(component(self.spec).env_from(), PATH), (&self.object.spec.common.env_from, "spec.common")]
        {
            for (at, source) in list.iter().enumerate().rev() {
                let prefix = source.prefix.as_deref().unwrap_or_default();
                let Some(key) = name.strip_prefix(prefix) else { continue };
                match self.holds(source, key) {
                    Some(true) => {
                        let place = Place::Variable(format!("{path}.envFrom[{at}]"));
                        let text = self.text_of(source, key);
                        return text.map_or(Given::Hidden(place.clone()), |text| Given::Text(text, place));
                    }
                    Some(false) => {}
                    None => unknown = true,
                }
            }
        }
        if unknown { Given::Unknown } else { Given::Absent }
    }

    /// The names of the variables that sources bring whose texts the input says.
    pub(super) fn brought(&self) -> Vec<String> {
        let lists = [component(self.spec).env_from(), &self.object.spec.common.env_from];
        let named = lists.into_iter().flatten().flat_map(|source| {
            let map = source.config_map_ref.as_ref().and_then(|map| self.facts.config_texts.get(&map.name));
            let prefix = source.prefix.clone().unwrap_or_default();
            map.into_iter().flatten().map(move |(key, _)| format!("{prefix}{key}"))
        });
        let mut all: Vec<String> = named.collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether a source has a key; `None` when nobody looked into it.
    fn holds(&self, source: &EnvFromSource, key: &str) -> Option<bool> {
        let map = source.config_map_ref.as_ref().map(|map| &map.name);
        let secret = source.secret_ref.as_ref().map(|secret| &secret.name);
        match (map, secret) {
            (Some(map), _) => self.facts.config_maps.get(map).map(|keys| keys.contains(key)),
            (_, Some(secret)) => self.facts.secrets.get(secret).map(|texts| texts.0.contains_key(key)),
            (None, None) => Some(false),
        }
    }

    /// What the key of a source holds, where the input says it.
    fn text_of(&self, source: &EnvFromSource, key: &str) -> Option<&'a str> {
        let map = source.config_map_ref.as_ref().and_then(|map| self.facts.config_texts.get(&map.name));
        let secret = source.secret_ref.as_ref().and_then(|secret| self.facts.secrets.get(&secret.name));
        map.or(secret.map(|texts| &texts.0))?.get(key).map(String::as_str)
    }
}
