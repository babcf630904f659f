// SPDX-License-Identifier: Apache-2.0
//! Who may look at Flower.

use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SecretKeyRef;
use super::open::{Open, Word};

/// Who may look: exactly one of `basic`, `oauth`, or `allowUnauthenticated: true`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
pub struct FlowerAuth {
    /// Users with passwords.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub basic: Option<BasicAuth>,
    /// Accounts of somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub oauth: Option<OAuth>,
    /// Everybody who reaches Flower; said in so many words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub allow_unauthenticated: Option<bool>,
}

/// Users with passwords.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["secretRef"]))]
pub struct BasicAuth {
    /// The key of a Secret with `user:password`, several separated by commas.
    #[serde(default)]
    #[garde(dive)]
    pub secret_ref: SecretKeyRef,
}

/// Accounts of somebody else.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema, Validate)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("required" = ["provider", "emails"]))]
pub struct OAuth {
    /// Whose accounts: `google`, `github`, `gitlab` or `okta`.
    #[serde(default)]
    #[garde(skip)]
    pub provider: Open<OAuthProvider>,
    /// Addresses that may look: `me@example.com`, or all of a domain as one entry, `.*@example.com`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[garde(skip)]
    #[schemars(extend("minItems" = 1))]
    pub emails: Vec<String>,
    /// The key of a Secret with the client id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub key_secret_ref: Option<SecretKeyRef>,
    /// The key of a Secret with the client secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub secret_secret_ref: Option<SecretKeyRef>,
    /// Where the provider sends people back: `https://flower.example.com/login`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(skip)]
    pub redirect_uri: Option<String>,
    /// The key of a Secret that signs the cookies; absent: a new one at each start, so that everybody logs in again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[garde(dive)]
    pub cookie_secret_ref: Option<SecretKeyRef>,
}

/// Whose accounts may look at Flower.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OAuthProvider {
    /// Google.
    Google,
    /// GitHub.
    GitHub,
    /// GitLab.
    GitLab,
    /// Okta.
    Okta,
}

impl Word for OAuthProvider {
    const SPELLINGS: &'static [(&'static str, Self)] =
        &[("google", Self::Google), ("github", Self::GitHub), ("gitlab", Self::GitLab), ("okta", Self::Okta)];
}
