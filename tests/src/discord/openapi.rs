//! Requests and answers against Discord's published schema, when `DISCORD_OPENAPI` names its file.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use jsonschema::{Draft, Registry, ValidationError, Validator, error::ValidationErrorKind};
use serde_json::{Value, json};

/// The variable that names the file.
const VARIABLE: &str = "DISCORD_OPENAPI";
const ADDRESS: &str = "urn:discord";
/// An error shows the value at fault; of a long one this much is enough.
const LONGEST_FAULT: usize = 300;

/// The schema, read and indexed once in a process.
struct Schema {
    document: &'static Value,
    registry: &'static Registry<'static>,
    /// By the JSON pointer of the schema.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

fn schema() -> Option<&'static Schema> {
    static SCHEMA: OnceLock<Option<Schema>> = OnceLock::new();
    SCHEMA.get_or_init(read).as_ref()
}

fn read() -> Option<Schema> {
    let file = std::env::var_os(VARIABLE).filter(|file| !file.is_empty())?;
    let text = std::fs::read_to_string(&file)
        .unwrap_or_else(|fault| panic!("{VARIABLE} names {}: {fault}", file.display()));
    let mut document: Value = serde_json::from_str(&text)
        .unwrap_or_else(|fault| panic!("{VARIABLE} names {}: {fault}", file.display()));
    loosen(&mut document);
    // Both live as long as the process, as the validators that borrow from them do.
    let document: &'static Value = Box::leak(Box::new(document));
    let registry = Registry::new().add(ADDRESS, document);
    let registry = registry.and_then(jsonschema::RegistryBuilder::prepare);
    let registry = registry.unwrap_or_else(|fault| panic!("the schema cannot be read: {fault}"));
    Some(Schema {
        document,
        registry: Box::leak(Box::new(registry)),
        validators: Mutex::default(),
    })
}

/// Discord takes a number in a string wherever it takes an integer, which its schema does not say.
fn loosen(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            let is_free = !["enum", "const", "oneOf"]
                .iter()
                .any(|key| object.contains_key(*key));
            let integer = match object.get("type") {
                Some(Value::String(kind)) if kind == "integer" => {
                    Some(json!(["integer", "string"]))
                }
                Some(Value::Array(kinds)) if kinds.contains(&json!("integer")) => {
                    let mut kinds = kinds.clone();
                    kinds.push("string".into());
                    Some(kinds.into())
                }
                _ => None,
            };
            if let (true, Some(kinds)) = (is_free, integer) {
                object.insert("type".to_owned(), kinds);
                object.insert("pattern".to_owned(), "^-?[0-9]+$".into());
            }
            object.values_mut().for_each(loosen);
        }
        Value::Array(list) => list.iter_mut().for_each(loosen),
        _ => {}
    }
}

/// Whether requests are held against the schema.
pub fn is_validating() -> bool {
    schema().is_some()
}

/// What is wrong with the body of a request; nothing when no schema is at hand.
pub fn request_faults(method: &str, path: &str, body: &Value) -> Vec<String> {
    let Some(schema) = schema() else {
        return Vec::new();
    };
    let Some((template, operation)) = schema.operation(method, path) else {
        return vec![format!("no operation {method} {path}")];
    };
    let content = &operation["requestBody"]["content"];
    if body.is_null() {
        let is_required = operation["requestBody"]["required"] == true;
        return if is_required {
            vec!["the body is missing".to_owned()]
        } else {
            Vec::new()
        };
    }
    if content["application/json"].is_null() {
        return vec!["a body where none is taken".to_owned()];
    }
    let method = method.to_lowercase();
    let pointer = format!(
        "/paths/{}/{method}/requestBody/content/application~1json/schema",
        escaped(template)
    );
    schema.faults(&pointer, body)
}

/// What is wrong with an answer of this status; nothing when no schema is at hand.
pub fn response_faults(method: &str, path: &str, status: u16, body: &Value) -> Vec<String> {
    let Some(schema) = schema() else {
        return Vec::new();
    };
    let Some((template, operation)) = schema.operation(method, path) else {
        return vec![format!("no operation {method} {path}")];
    };
    let response = &operation["responses"][status.to_string()];
    if response.is_null() {
        return vec![format!("{method} {path} is never answered {status}")];
    }
    if response["content"]["application/json"].is_null() {
        let is_empty = body.is_null();
        return if is_empty {
            Vec::new()
        } else {
            vec!["an answer where none is given".to_owned()]
        };
    }
    let method = method.to_lowercase();
    let pointer = format!(
        "/paths/{}/{method}/responses/{status}/content/application~1json/schema",
        escaped(template)
    );
    schema.faults(&pointer, body)
}

/// A path as one part of a JSON pointer.
fn escaped(template: &str) -> String {
    template.replace('~', "~0").replace('/', "~1")
}

impl Schema {
    /// The operation of a path; a literal part goes before a template, `@me` before an id.
    fn operation(&self, method: &str, path: &str) -> Option<(&'static str, &'static Value)> {
        let given: Vec<&str> = path.split('/').collect();
        let is_template = |part: &str| part.starts_with('{');
        let fits = |template: &str| {
            let parts: Vec<&str> = template.split('/').collect();
            let pairs = parts.iter().zip(&given);
            parts.len() == given.len()
                && pairs
                    .into_iter()
                    .all(|(part, given)| part == given || is_template(part))
        };
        let method = method.to_lowercase();
        let paths = self.document["paths"].as_object()?.iter();
        paths
            .filter(|(template, operations)| fits(template) && operations.get(&method).is_some())
            .min_by_key(|(template, _)| {
                template.split('/').filter(|part| is_template(part)).count()
            })
            .map(|(template, operations)| (template.as_str(), &operations[&method]))
    }

    fn validator(&self, pointer: &str) -> Arc<Validator> {
        let mut validators = self
            .validators
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let known = validators.entry(pointer.to_owned());
        let validator = known.or_insert_with(|| {
            // Braces are not allowed in the fragment of an address.
            let fragment = pointer.replace('{', "%7B").replace('}', "%7D");
            let reference = json!({"$ref": format!("{ADDRESS}#{fragment}")});
            let options = jsonschema::options().with_draft(Draft::Draft202012);
            let built = options.with_registry(self.registry).build(&reference);
            Arc::new(built.unwrap_or_else(|fault| panic!("{pointer} in the schema: {fault}")))
        });
        Arc::clone(validator)
    }

    fn faults(&self, pointer: &str, value: &Value) -> Vec<String> {
        let validator = self.validator(pointer);
        validator
            .iter_errors(value)
            .flat_map(|error| leaves(&error))
            .collect()
    }
}

/// What is wrong at the bottom of an error. Of a union it is what is wrong with the branch that the
/// value's type means, else with the one that it breaks least.
fn leaves(error: &ValidationError<'_>) -> Vec<String> {
    let (ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context }) =
        error.kind()
    else {
        let text = format!("{}: {error}", error.instance_path());
        return vec![text.chars().take(LONGEST_FAULT).collect()];
    };
    let here = error.instance_path().as_str();
    let of_type = format!("{here}/type");
    let is_meant = |errors: &&Vec<ValidationError<'_>>| {
        !errors.iter().any(|error| {
            let at = error.instance_path().as_str();
            let is_other_type = matches!(error.kind(), ValidationErrorKind::Type { .. });
            at == of_type || (at == here && is_other_type)
        })
    };
    let branch = |errors: &Vec<ValidationError<'_>>| errors.iter().flat_map(leaves).collect();
    let meant: Vec<Vec<String>> = context.iter().filter(is_meant).map(branch).collect();
    let any = || context.iter().map(branch).collect();
    let branches = if meant.is_empty() { any() } else { meant };
    branches
        .into_iter()
        .min_by_key(Vec::len)
        .unwrap_or_default()
}
