//! What goes over the wire: AWS JSON 1.1, and the token service's query protocol with its XML.

use std::collections::HashMap;

use axum::{
    body::Body,
    extract::Query,
    http::{HeaderMap, Uri, header::CONTENT_TYPE},
    response::Response,
};
use serde_json::{Value, json};
use tierdesk_provision::simulated::{AwsFault, Operation, Service};

const JSON: &str = "application/x-amz-json-1.1";
const XML: &str = "text/xml";

/// How a service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Json,
    Query,
}

/// A request that was understood.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) name: String,
    pub(super) operation: Operation,
    pub(super) protocol: Protocol,
    /// Where the next page begins.
    pub(super) token: Option<String>,
}

impl Request {
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, String> {
        if !headers.contains_key("authorization") {
            return Err("the request is not signed".to_owned());
        }
        let target = headers.get("x-amz-target");
        let (prefix, name, fields, protocol) = if let Some(target) = target {
            let target = target.to_str().map_err(|fault| fault.to_string())?;
            let (prefix, name) = target.split_once('.').ok_or("a target without a point")?;
            let fields: Value = serde_json::from_slice(body).map_err(|fault| fault.to_string())?;
            (prefix.to_owned(), name.to_owned(), fields, Protocol::Json)
        } else {
            let fields = form(body)?;
            let name = fields["Action"].as_str().ok_or("no Action")?.to_owned();
            ("sts".to_owned(), name, fields, Protocol::Query)
        };
        let token = fields["NextToken"].as_str().map(str::to_owned);
        let wire = json!({ &name: fields });
        let operation: Operation =
            serde_json::from_value(wire).map_err(|fault| format!("{name}: {fault}"))?;
        let expected = match operation.service() {
            Service::Organizations => "AWSOrganizationsV20161128",
            Service::IdentityCenter => "SWBExternalService",
            Service::IdentityStore => "AWSIdentityStore",
            Service::Sts => "sts",
        };
        if prefix != expected {
            return Err(format!("{name} is not an operation of {prefix}"));
        }
        Ok(Self {
            name,
            operation,
            protocol,
            token,
        })
    }
}

fn form(body: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(body).map_err(|fault| fault.to_string())?;
    let uri: Uri = format!("/?{text}").parse().map_err(|_| "not a form")?;
    let Query(fields) =
        Query::<HashMap<String, String>>::try_from_uri(&uri).map_err(|fault| fault.to_string())?;
    Ok(json!(fields))
}

/// Cuts a list into pages of `size` with an empty one before each. A token is the place in the list
/// and which of the two comes.
pub(super) fn page(mut body: Value, size: Option<usize>, request: &Request) -> Value {
    let Some(size) = size.filter(|_| request.name.starts_with("List")) else {
        return body;
    };
    let Some(fields) = body.as_object_mut() else {
        return body;
    };
    let Some(list) = fields.values_mut().find_map(Value::as_array_mut) else {
        return body;
    };
    let token = request.token.as_deref();
    let (at, is_full) = match token.and_then(|token| token.split_once('-')) {
        Some((at, turn)) => (at.parse().unwrap_or(list.len()), turn == "full"),
        None => (0, false),
    };
    if !is_full {
        list.clear();
        fields.insert("NextToken".to_owned(), json!(format!("{at}-full")));
        return body;
    }
    let next = at + size;
    let is_last = next >= list.len();
    *list = list.iter().skip(at).take(size).cloned().collect();
    if !is_last {
        fields.insert("NextToken".to_owned(), json!(format!("{next}-empty")));
    }
    body
}

/// Any answer.
pub(super) fn answer(status: u16, kind: &str, body: String) -> Response {
    Response::builder()
        .status(status)
        .header(CONTENT_TYPE, kind)
        .body(Body::from(body))
        .expect("the tests write no header that cannot be")
}

pub(super) fn done(body: &Value, request: &Request) -> Response {
    if request.protocol == Protocol::Json {
        return answer(200, JSON, body.to_string());
    }
    let user = &body["AssumedRoleUser"];
    let text = |name: &str| user[name].as_str().unwrap_or_default().to_owned();
    let xml = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleResult><AssumedRoleUser><Arn>{}</Arn><AssumedRoleId>{}</AssumedRoleId>\
         </AssumedRoleUser><Credentials><AccessKeyId>ASIATEST</AccessKeyId><SecretAccessKey>no \
         secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>2126-01-01T00:00:00Z\
         </Expiration></Credentials></AssumeRoleResult><ResponseMetadata><RequestId>1</RequestId>\
         </ResponseMetadata></AssumeRoleResponse>",
        text("Arn"),
        text("AssumedRoleId"),
    );
    answer(200, XML, xml)
}

pub(super) fn refused(fault: &AwsFault, protocol: Protocol) -> Response {
    let AwsFault { code, message, .. } = fault;
    if protocol == Protocol::Query {
        let xml = format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender\
             </Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId>\
             </ErrorResponse>"
        );
        return answer(403, XML, xml);
    }
    // AWS answers 400 to whatever the caller is to blame for, throttling included.
    let is_theirs = [
        "ServiceException",
        "InternalServerException",
        "InternalFailure",
    ];
    let status = if is_theirs.contains(&code.as_str()) {
        500
    } else {
        400
    };
    let mut body = json!({ "__type": code, "Message": message });
    if let Some(reason) = &fault.reason {
        body["Reason"] = json!(reason);
    }
    answer(status, JSON, body.to_string())
}
