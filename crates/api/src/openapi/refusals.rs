//! How clients say who they are, and the answers that any route may give before its handler is asked.

use serde_json::{Value, json};
use utoipa::{
    Modify,
    openapi::{
        Content, HeaderBuilder, ObjectBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, Type,
        path::Operation,
        security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
    },
};

/// Routes that ask nobody who they are.
const OPEN: [&str; 2] = ["/health/live", "/health/ready"];

/// An answer that any route may give.
pub(crate) struct Refusal {
    pub(crate) status: &'static str,
    /// Its name among the components.
    name: &'static str,
    description: &'static str,
    /// What `detail` says; none where actix-http answers, which sends no body.
    pub(crate) detail: Option<&'static str>,
    header: Option<(&'static str, Type, &'static str)>,
}

/// All of them.
pub(crate) const REFUSALS: [Refusal; 9] = [
    Refusal {
        status: "400",
        name: "BadRequest",
        description: "This is not HTTP",
        detail: None,
        header: None,
    },
    Refusal {
        status: "401",
        name: "Unauthorized",
        description: "The agent asks for credentials, and there are none, or they are not valid",
        detail: Some("Credentials are needed"),
        header: Some((
            "www-authenticate",
            Type::String,
            "Which credentials there are, a header each",
        )),
    },
    Refusal {
        status: "403",
        name: "Forbidden",
        description: "The credentials are valid, and not for this; or a web page of another origin wants the agent to do something",
        detail: Some("This needs a scope that these credentials do not have: read"),
        header: None,
    },
    Refusal {
        status: "408",
        name: "RequestTimeout",
        description: "The request did not come in time",
        detail: None,
        header: None,
    },
    Refusal {
        status: "413",
        name: "ContentTooLarge",
        description: "The request has a body that is too long; no route that reads looks at one",
        detail: Some("The body is longer than 65536 bytes"),
        header: None,
    },
    Refusal {
        status: "414",
        name: "UriTooLong",
        description: "Path and query are too long",
        detail: Some("Path and query are longer than 32768 bytes"),
        header: None,
    },
    Refusal {
        status: "421",
        name: "MisdirectedRequest",
        description: "Without authentication: a client on this host asks for a name that is not known to be the agent's, as a page does whose name was made to lead here",
        detail: Some(
            "This agent is not known by the name in `Host`, and whoever is on this host may read: name it in http.allowed_hosts, or ask by an address",
        ),
        header: None,
    },
    Refusal {
        status: "429",
        name: "TooManyRequests",
        description: "This client asks too often, or too many passwords are being verified",
        detail: Some("This client asks too often"),
        header: Some(("retry-after", Type::Integer, "Seconds after which to ask again")),
    },
    Refusal {
        status: "431",
        name: "HeadersTooLarge",
        description: "There are too many headers, or they are too long",
        detail: None,
        header: None,
    },
];

/// Adds the ways to say who one is, and what is answered to those who do not.
pub(super) struct Refusals;

impl Modify for Refusals {
    fn modify(&self, document: &mut OpenApi) {
        let components = document.components.get_or_insert_default();
        let http = |scheme, description: &str| {
            let mut scheme = Http::new(scheme);
            scheme.description = Some(description.to_owned());
            SecurityScheme::Http(scheme)
        };
        let certificate = SecurityScheme::MutualTls {
            description: Some("A certificate of an authority in `tls.client_ca`.".to_owned()),
            deprecated: None,
            extensions: None,
        };
        let schemes = [
            (
                "token",
                http(HttpAuthScheme::Bearer, "A token of `auth.tokens_file`."),
            ),
            (
                "password",
                http(HttpAuthScheme::Basic, "A user of `auth.users_file`."),
            ),
            ("certificate", certificate),
        ];
        // An agent that is not told to ask does not ask.
        let mut requirements = vec![SecurityRequirement::default()];
        for (name, scheme) in schemes {
            components.add_security_scheme(name, scheme);
            requirements.push(SecurityRequirement::new(name, Vec::<String>::new()));
        }
        document.security = Some(requirements);
        for refusal in &REFUSALS {
            components
                .responses
                .insert(refusal.name.to_owned(), refusal.response().into());
        }
        for (path, item) in &mut document.paths.paths {
            for operation in [&mut item.get, &mut item.post].into_iter().flatten() {
                refuse(path, operation);
            }
        }
    }
}

fn refuse(path: &str, operation: &mut Operation) {
    let is_open = OPEN.contains(&path);
    if is_open {
        operation.security = Some(Vec::new());
    }
    for refusal in &REFUSALS {
        if is_open && ["401", "403", "421"].contains(&refusal.status) {
            continue;
        }
        let reference = RefOr::Ref(Ref::from_response_name(refusal.name));
        operation
            .responses
            .responses
            .entry(refusal.status.to_owned())
            .or_insert(reference);
    }
}

impl Refusal {
    fn response(&self) -> Response {
        let mut response = ResponseBuilder::new().description(self.description);
        if let Some((name, kind, description)) = &self.header {
            let schema = ObjectBuilder::new().schema_type(kind.clone());
            let header = HeaderBuilder::new()
                .schema(Some(schema))
                .description(Some(*description));
            response = response.header(*name, header.build());
        }
        if let Some(example) = self.example() {
            let mut content = Content::new(Some(Ref::from_schema_name("Problem")));
            content.example = Some(example);
            response = response.content("application/json", content);
        }
        response.build()
    }

    /// The body; none where there is none.
    pub(crate) fn example(&self) -> Option<Value> {
        let status: u16 = self.status.parse().ok()?;
        let title = actix_web::http::StatusCode::from_u16(status)
            .ok()?
            .canonical_reason()?;
        Some(json!({"detail": self.detail?, "title": title, "status": status}))
    }
}
