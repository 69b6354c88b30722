//! One question to the kubelet: over a connection of its own, within its time, and with an answer of bounded length.

use std::{error::Error, io, path::Path, time::Duration};

use gpulse_models::{Absence, Reason};
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codegen::http::uri::{PathAndQuery, Uri},
    transport::Endpoint,
};
use tonic_prost::ProstCodec;

use super::wire::{ListRequest, ListResponse};

/// The method that lists what is assigned to whom.
const LIST: &str = "/v1.PodResourcesLister/List";

/// What stands for a host name, which a socket does not have and HTTP wants.
const AUTHORITY: &str = "http://localhost";

/// The longest answer that is read: what clients of gRPC permit by default, and a thousand pods need less.
const LONGEST_ANSWER: usize = 4 << 20;

/// The longest message of the kubelet that is passed on.
const LONGEST_MESSAGE: usize = 200;

/// Asks the kubelet behind `socket` what is assigned to whom.
pub(super) async fn list(socket: &Path, deadline: Duration) -> Result<ListResponse, Absence> {
    match tokio::time::timeout(deadline, ask(socket)).await {
        Ok(outcome) => outcome,
        Err(_) => {
            let message = format!("{} did not answer within {deadline:?}", socket.display());
            Err(Absence::new(Reason::Timeout, message))
        }
    }
}

async fn ask(socket: &Path) -> Result<ListResponse, Absence> {
    let endpoint = Endpoint::from_shared(format!("unix:{}", socket.display()));
    let endpoint = endpoint.map_err(|error| refused(socket, &error))?;
    let endpoint = endpoint.origin(Uri::from_static(AUTHORITY));
    let channel = endpoint
        .connect()
        .await
        .map_err(|error| refused(socket, &error))?;
    let mut client = Grpc::new(channel).max_decoding_message_size(LONGEST_ANSWER);
    client.ready().await.map_err(|error| refused(socket, &error))?;
    let codec: ProstCodec<ListRequest, ListResponse> = ProstCodec::default();
    let answer = client
        .unary(
            Request::new(ListRequest {}),
            PathAndQuery::from_static(LIST),
            codec,
        )
        .await;
    answer
        .map(tonic::Response::into_inner)
        .map_err(|status| failed(socket, &status))
}

/// Why there is no connection.
fn refused(socket: &Path, error: &(dyn Error + 'static)) -> Absence {
    let socket = socket.display();
    let kind = causes(error).find_map(|cause| cause.downcast_ref::<io::Error>().map(io::Error::kind));
    match kind {
        Some(io::ErrorKind::NotFound) => Absence::new(
            Reason::NotSupported,
            format!("there is no {socket}: no kubelet runs here, or its directory is not mounted"),
        ),
        Some(io::ErrorKind::PermissionDenied) => Absence::new(
            Reason::NoPermission,
            format!("{socket} may not be opened: that takes root"),
        ),
        Some(io::ErrorKind::ConnectionRefused) => {
            Absence::new(Reason::Error, format!("nobody listens at {socket}"))
        }
        _ => {
            let cause = causes(error).last().map(ToString::to_string).unwrap_or_default();
            Absence::new(Reason::Error, format!("{socket}: {}", clipped(&cause)))
        }
    }
}

/// Why there is no answer.
fn failed(socket: &Path, status: &Status) -> Absence {
    let reason = match status.code() {
        Code::PermissionDenied | Code::Unauthenticated => Reason::NoPermission,
        Code::Unimplemented => Reason::FunctionNotFound,
        Code::DeadlineExceeded => Reason::Timeout,
        _ => Reason::Error,
    };
    let (socket, message) = (socket.display(), clipped(status.message()));
    Absence::new(reason, format!("{socket}: {:?}: {message}", status.code()))
}

fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&(dyn Error + 'static)| (*error).source())
}

fn clipped(message: &str) -> &str {
    let end = message.char_indices().nth(LONGEST_MESSAGE);
    end.map_or(message, |(end, _)| &message[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_there_is_no_connection_is_told_apart() {
        for (kind, reason) in [
            (io::ErrorKind::NotFound, Reason::NotSupported),
            (io::ErrorKind::PermissionDenied, Reason::NoPermission),
            (io::ErrorKind::ConnectionRefused, Reason::Error),
            (io::ErrorKind::InvalidInput, Reason::Error),
        ] {
            let absence = refused(Path::new("/run/kubelet.sock"), &io::Error::from(kind));
            assert_eq!(absence.reason, reason, "{kind}");
            assert!(
                absence.message.contains("/run/kubelet.sock"),
                "{}",
                absence.message
            );
        }
    }

    #[test]
    fn a_message_is_cut_between_characters() {
        assert_eq!(clipped("ä").len(), 2);
        assert_eq!(
            clipped(&"ä".repeat(LONGEST_MESSAGE + 1)).len(),
            2 * LONGEST_MESSAGE
        );
    }
}
