//! The middleware that asks the gate.

use std::{
    future::{Ready, ready},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
};

use actix_web::{
    Error, HttpResponse,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    error::InternalError,
    http::ConnectionType,
};
use bytes::Bytes;
use futures_util::future::{Either, LocalBoxFuture};
use tokio::time::timeout;

use crate::{
    gate::{Attention, Gate, LONGEST_WITH_BODY, Verdict, client, has_body},
    listen::{Connection, UnderWay},
    refusal,
};

/// The middleware.
#[derive(Clone)]
pub(crate) struct Guard(pub(crate) Arc<Gate>);

/// The middleware of one worker.
pub(crate) struct Guarding<S> {
    gate: Arc<Gate>,
    service: Rc<S>,
}

impl<S> Transform<S, ServiceRequest> for Guard
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
    S::Future: 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Transform = Guarding<S>;
    type InitError = ();
    type Future = Ready<Result<Guarding<S>, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(Guarding {
            gate: Arc::clone(&self.0),
            service: Rc::new(service),
        }))
    }
}

type Answer = Result<ServiceResponse<BoxBody>, Error>;

impl<S> Service<ServiceRequest> for Guarding<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
    S::Future: 'static,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = Either<S::Future, LocalBoxFuture<'static, Answer>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        match self.gate.judge(&request) {
            Verdict::Pass => Either::Left(self.service.call(request)),
            Verdict::Refuse(refusal) => Either::Right(Box::pin(ready(Ok(refused(request, refusal))))),
            Verdict::Attend(attention) => {
                Either::Right(Box::pin(attend(Rc::clone(&self.service), request, attention)))
            }
            Verdict::Verify(basic, needed, attention) => {
                let (gate, service) = (Arc::clone(&self.gate), Rc::clone(&self.service));
                Either::Right(Box::pin(async move {
                    // The client waits for this meanwhile.
                    let connection = request.conn_data::<Rc<Connection>>().cloned();
                    let _under_way = connection.map(|connection| connection.begin());
                    if let Some(refusal) = gate.verify(basic, needed, client(&request)).await {
                        return Ok(refused(request, refusal));
                    }
                    match attention {
                        Some(attention) => attend(service, request, attention).await,
                        None => service.call(request).await,
                    }
                }))
            }
        }
    }
}

/// Refuses a request. What is left of its body goes with the connection, as with any other that has one.
fn refused(request: ServiceRequest, refusal: HttpResponse) -> ServiceResponse<BoxBody> {
    let is_last = has_body(&request);
    let mut answer = request.into_response(refusal);
    if is_last {
        answer
            .response_mut()
            .head_mut()
            .set_connection_type(ConnectionType::Close);
    }
    answer
}

/// Answers a request whose connection counts it, or of which something is still to come.
async fn attend<S>(service: Rc<S>, request: ServiceRequest, attention: Attention) -> Answer
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error>,
{
    let under_way = attention.connection.map(|connection| connection.begin());
    let mut answer = if attention.has_body {
        let Ok(answer) = timeout(LONGEST_WITH_BODY, service.call(request)).await else {
            let refusal = refusal::body_too_slow();
            return Err(InternalError::from_response("the body did not come in time", refusal).into());
        };
        answer?
    } else {
        service.call(request).await?
    };
    if !attention.is_http2 {
        // What is left of the body then goes with the connection, and nobody has to wait for it.
        answer
            .response_mut()
            .head_mut()
            .set_connection_type(ConnectionType::Close);
        return Ok(answer);
    }
    // As long as the answer's body is under way, too: that is what a peer that reads nothing lets pile up.
    Ok(answer.map_body(|_, body| {
        BoxBody::new(Counted {
            body,
            _under_way: under_way,
        })
    }))
}

/// A body that counts as a request under way.
struct Counted {
    body: BoxBody,
    _under_way: Option<UnderWay>,
}

impl MessageBody for Counted {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        self.get_mut().body.as_pin_mut().poll_next(context)
    }
}
