//! Users: who gets in, what a password is, and who waits for whom.

use proptest::prelude::*;

use super::*;

/// The cheapest there is: the tests are about who gets in.
fn line(user: &str, password: &str, rest: &str) -> String {
    format!("{user}:{}{rest}\n", bcrypt::hash(password, 4).unwrap())
}

fn basic(user: &str, password: &str) -> Basic {
    Basic {
        user: user.to_owned(),
        password: password.as_bytes().to_vec(),
    }
}

#[actix_web::test]
async fn a_right_password_is_good_for_the_users_scopes_and_remembered() {
    let text = line("ann", "secret", ":read,admin") + &line("bob", "other", "");
    let users = Users::parse(&text).unwrap();
    let verifier = Verifier::new();
    assert_eq!(verifier.remembered(&users, &basic("ann", "secret")), None);
    assert_eq!(
        verifier.verify(&users, basic("ann", "secret"), None).await,
        Ok("read,admin".parse().unwrap())
    );
    assert_eq!(
        verifier.remembered(&users, &basic("ann", "secret")),
        Some("read,admin".parse().unwrap())
    );
    assert_eq!(
        verifier.verify(&users, basic("bob", "other"), None).await,
        Ok("read".parse().unwrap())
    );
    for (user, password) in [
        ("ann", "other"),
        ("bob", "secret"),
        ("eve", "secret"),
        ("", ""),
        ("ann", ""),
    ] {
        assert_eq!(
            verifier.verify(&users, basic(user, password), None).await,
            Err(Unknown::Wrong),
            "{user}"
        );
        assert_eq!(
            verifier.remembered(&users, &basic(user, password)),
            None,
            "{user}"
        );
    }
}

#[actix_web::test]
async fn a_new_password_and_new_scopes_count_at_once() {
    let verifier = Verifier::new();
    let before = Users::parse(&line("ann", "secret", ":admin")).unwrap();
    verifier
        .verify(&before, basic("ann", "secret"), None)
        .await
        .unwrap();
    let after = Users::parse(&line("ann", "new", ":read")).unwrap();
    assert_eq!(verifier.remembered(&after, &basic("ann", "secret")), None);
    assert_eq!(
        verifier.verify(&after, basic("ann", "secret"), None).await,
        Err(Unknown::Wrong)
    );
    let gone = Users::parse("").unwrap();
    assert_eq!(verifier.remembered(&gone, &basic("ann", "secret")), None);
}

#[actix_web::test]
async fn a_password_counts_to_its_end() {
    let long = "x".repeat(LONGEST_PASSWORD);
    let users = Users::parse(&line("ann", &long, "")).unwrap();
    let verifier = Verifier::new();
    assert!(verifier.verify(&users, basic("ann", &long), None).await.is_ok());
    assert_eq!(
        verifier
            .verify(&users, basic("ann", &format!("{long}y")), None)
            .await,
        Err(Unknown::Wrong)
    );
    let users = Users::parse(&line("ann", "secret", "")).unwrap();
    assert_eq!(
        verifier
            .verify(&users, basic("ann", "secret\0secret"), None)
            .await,
        Err(Unknown::Wrong)
    );
}

#[actix_web::test]
async fn whoever_guesses_keeps_nobody_else_out() {
    let users = Users::parse(&line("ann", "secret", "")).unwrap();
    let verifier = Verifier::new();
    let (one, other): (IpAddr, IpAddr) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
    let places: Vec<_> = (0..OF_ONE_CLIENT)
        .map(|_| verifier.of_clients.take(one).unwrap())
        .collect();
    let verified = async |client| {
        verifier
            .verify(&users, basic("ann", "secret"), Some(client))
            .await
    };
    assert_eq!(verified(one).await, Err(Unknown::Busy));
    assert!(verified(other).await.is_ok());
    drop(places);
    assert!(verified(one).await.is_ok());
}

#[actix_web::test]
async fn who_finds_the_queue_full_is_told_to_come_again() {
    let users = Users::parse(&line("ann", "secret", "")).unwrap();
    let verifier = Verifier::new();
    let places: Vec<_> = (0..WAITING)
        .map(|_| Waiting::enter(&verifier.waiting).unwrap())
        .collect();
    assert_eq!(
        verifier.verify(&users, basic("ann", "secret"), None).await,
        Err(Unknown::Busy)
    );
    drop(places);
    assert!(
        verifier
            .verify(&users, basic("ann", "secret"), None)
            .await
            .is_ok()
    );
}

#[test]
fn what_is_remembered_is_bounded_and_the_oldest_goes_first() {
    let verifier = Verifier::new();
    let mark = |number: usize| {
        let mut mark = [0; 32];
        mark[..8].copy_from_slice(&number.to_le_bytes());
        mark
    };
    for number in 0..REMEMBERED + 3 {
        verifier.remember(Some(mark(number)));
    }
    let right = verifier.right.lock().unwrap();
    assert_eq!(right.len(), REMEMBERED);
    assert!(!right.contains_key(&mark(2)) && right.contains_key(&mark(3)));
}

#[test]
fn a_name_that_is_not_known_costs_what_the_dearest_costs() {
    let dear = format!("$2y$11${}", ".".repeat(53));
    let users = Users::parse(&(line("ann", "x", "") + &format!("bob:{dear}\n"))).unwrap();
    assert_eq!(users.nobody.parse::<HashParts>().unwrap().get_cost(), 11);
    let cheapest = Users::parse("").unwrap();
    assert!(!bcrypt::verify("", &cheapest.nobody).unwrap());
}

#[test]
fn a_wrong_line_is_named_by_its_number_and_not_repeated() {
    let hash = bcrypt::hash("x", 4).unwrap();
    let cases = [
        ("secret".to_owned(), "two or three parts"),
        ("ann:secret".to_owned(), "no bcrypt hash"),
        (format!(":{hash}"), "no name"),
        (format!("ann:{hash}:write"), "scopes are"),
        (format!("ann:{hash}:read:more"), "two or three parts"),
        (format!("ann:{hash}\nann:{hash}"), "a line above"),
        (format!("ann:{}", hash.replacen("$04$", "$15$", 1)), "its cost 15"),
        (format!("ann:{}", hash.replacen("$04$", "$03$", 1)), "its cost 3"),
    ];
    for (text, part) in cases {
        let error = Users::parse(&text).unwrap_err();
        assert!(error.contains("line ") && error.contains(part), "{error}");
        assert!(!error.contains("secret") && !error.contains(&hash), "{error}");
    }
}

proptest! {
    #[test]
    fn no_file_makes_it_panic(text in "\\PC{0,200}") {
        let _ = Users::parse(&text);
    }

    #[test]
    fn nothing_like_a_line_makes_it_panic(text in "[a-z]{0,3}:\\$2[abxyz]\\$[0-9]{1,3}\\$[./A-Za-zü]{50,54}:?(read)?") {
        let _ = Users::parse(&text);
    }
}
