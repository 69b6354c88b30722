//! Requests and connections: each counted once, at its place, by however many workers.

use super::*;

const ROUTES: &[&str] = &["/a", "/b/{c}"];

fn http() -> Http {
    let http = Http::default();
    http.name_routes(ROUTES);
    http
}

fn count(route: &'static str, method: HttpMethod, status: Option<u16>, count: u64) -> RequestCount {
    RequestCount {
        route,
        method,
        status,
        count,
    }
}

#[test]
fn every_combination_has_a_count_of_its_own() {
    let http = http();
    let mut expected = Vec::new();
    for (place, route) in [(Some(0), "/a"), (Some(1), "/b/{c}"), (None, OTHER_ROUTE)] {
        for method in HttpMethod::ALL {
            for status in STATUSES {
                for _ in 0..=expected.len() {
                    http.begin(place, method).finish(status);
                }
                expected.push(count(route, method, Some(status), expected.len() as u64 + 1));
            }
        }
    }
    assert_eq!(http.read().requests, expected);
}

#[test]
fn what_has_no_name_is_counted_as_the_rest() {
    let http = http();
    http.name_routes(&["/late"]);
    http.begin(Some(2), HttpMethod::Get).finish(200);
    http.begin(None, HttpMethod::Get).finish(200);
    http.begin(Some(0), HttpMethod::Other).finish(299);
    http.begin(Some(0), HttpMethod::Other).finish(0);
    let expected = [
        count("/a", HttpMethod::Other, None, 2),
        count(OTHER_ROUTE, HttpMethod::Get, Some(200), 2),
    ];
    assert_eq!(http.read().requests, expected);
}

#[test]
fn statuses_are_in_their_order() {
    assert!(
        STATUSES.is_sorted_by(|one, next| one < next),
        "they are searched by halves"
    );
}

#[test]
fn requests_and_connections_are_there_until_they_end() {
    let http = http();
    let (answered, abandoned) = (
        http.begin(Some(0), HttpMethod::Get),
        http.begin(Some(1), HttpMethod::Get),
    );
    let connection = http.accepted();
    connection.sent(10);
    connection.sent(5);
    let stats = http.read();
    assert_eq!((stats.in_flight, stats.abandoned, stats.bytes_sent), (2, 0, 15));
    assert_eq!((stats.connections.accepted, stats.connections.open), (1, 1));

    answered.finish(200);
    drop(abandoned);
    connection.cut();
    drop(connection);
    http.refused();
    http.accepted().handshake_failed();
    let stats = http.read();
    assert_eq!((stats.in_flight, stats.abandoned), (0, 1));
    assert_eq!(stats.requests, [count("/a", HttpMethod::Get, Some(200), 1)]);
    let connections = ConnectionStats {
        accepted: 2,
        open: 0,
        refused: 1,
        handshakes_failed: 1,
        cut: 1,
    };
    assert_eq!(stats.connections, connections);
}

#[test]
fn workers_at_once_lose_nothing_even_where_they_share() {
    const EACH: u64 = 5_000;
    const WORKERS: u64 = 2 * STRIPES as u64 + 1;
    let http = http();
    let serve = || {
        let connection = http.accepted();
        for number in 0..EACH {
            let answering = http.begin(Some((number % 2) as usize), HttpMethod::Get);
            connection.sent(3);
            answering.finish(200);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(serve);
        }
    });
    let stats = http.read();
    let half = WORKERS * EACH / 2;
    let expected = [
        count("/a", HttpMethod::Get, Some(200), half),
        count("/b/{c}", HttpMethod::Get, Some(200), half),
    ];
    assert_eq!(stats.requests, expected);
    assert_eq!((stats.in_flight, stats.bytes_sent), (0, WORKERS * EACH * 3));
    assert_eq!((stats.connections.accepted, stats.connections.open), (WORKERS, 0));
}

#[test]
fn what_another_thread_ends_is_ended() {
    let http = http();
    let (answering, connection) = (http.begin(Some(0), HttpMethod::Get), http.accepted());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            answering.finish(200);
            drop(connection);
        });
    });
    let stats = http.read();
    assert_eq!((stats.in_flight, stats.connections.open), (0, 0));
}
