//! Order, filter and tree of the processes.

use super::*;
use crate::{fixture::frame, frame::Parent};

fn pids(table: &Table, frame: &Frame) -> Vec<String> {
    let shown = |row: &Row| match row {
        Row::Group { indent, title } => format!("{}{title}", "  ".repeat(*indent)),
        Row::Process { indent, place } => {
            let process = &frame.processes.processes[*place];
            format!("{}{}", "  ".repeat(*indent), process.pid)
        }
    };
    table.rows(frame).iter().map(shown).collect()
}

fn sorted(column: Column, descending: bool) -> Vec<String> {
    let table = Table {
        sort: column,
        descending,
        ..Table::default()
    };
    pids(&table, &frame(3))
}

#[test]
fn whoever_has_no_value_comes_last_either_way() {
    assert_eq!(sorted(Column::Memory, true), ["4242", "4242", "77", "1300"]);
    assert_eq!(sorted(Column::Memory, false), ["77", "4242", "4242", "1300"]);
    assert_eq!(sorted(Column::Sm, true), ["4242", "4242", "77", "1300"]);
    assert_eq!(sorted(Column::Sm, false), ["4242", "4242", "77", "1300"]);
}

#[test]
fn every_column_sorts() {
    assert_eq!(sorted(Column::Pid, false), ["77", "1300", "4242", "4242"]);
    assert_eq!(sorted(Column::User, false), ["1300", "4242", "4242", "77"]);
    assert_eq!(sorted(Column::Gpu, true), ["4242", "77", "1300", "4242"]);
    assert_eq!(sorted(Column::Kind, false), ["4242", "4242", "77", "1300"]);
    // The longest time first.
    assert_eq!(sorted(Column::Time, true), ["77", "1300", "4242", "4242"]);
    assert_eq!(sorted(Column::Place, false), ["4242", "4242", "1300", "77"]);
    assert_eq!(sorted(Column::Command, true), ["4242", "4242", "1300", "77"]);
}

#[test]
fn each_share_sorts_by_itself() {
    let mut frame = frame(3);
    frame.processes.processes.truncate(3);
    for (process, (pid, share)) in frame
        .processes
        .processes
        .iter_mut()
        .zip([(1, 10.0), (2, 20.0), (3, 30.0)])
    {
        process.pid = pid;
        process.sm_percent = Some(share);
        process.memory_percent = Some(-share);
        process.encoder_percent = (pid != 3).then_some(share);
        process.decoder_percent = (pid != 1).then_some(-share);
    }
    for (share, expected) in [
        (Column::Sm, ["3", "2", "1"]),
        (Column::Bandwidth, ["1", "2", "3"]),
        (Column::Encoder, ["2", "1", "3"]),
        (Column::Decoder, ["2", "3", "1"]),
    ] {
        let mut table = Table::default();
        table.sort_by(share);
        assert_eq!(pids(&table, &frame), expected, "{share:?}");
    }
}

#[test]
fn a_second_choice_of_a_column_turns_it_round() {
    let mut table = Table::default();
    table.sort_by(Column::Pid);
    assert_eq!((table.sort, table.descending), (Column::Pid, false));
    table.sort_by(Column::Pid);
    assert_eq!((table.sort, table.descending), (Column::Pid, true));
    table.sort_beside(false, 200);
    assert_eq!(table.sort, Column::Command);
    table.sort_beside(true, 200);
    assert_eq!(table.sort, Column::Pid);
}

#[test]
fn the_next_column_is_one_that_is_shown() {
    for width in [40, 56, 80, 100, 120, 200] {
        let shown: Vec<_> = Column::shown(width)
            .into_iter()
            .map(|(column, _)| column)
            .collect();
        let mut table = Table {
            sort: Column::Pid,
            ..Table::default()
        };
        let mut step = |to_right| {
            let sorted = |_: &Column| {
                table.sort_beside(to_right, width);
                table.sort
            };
            shown.iter().map(sorted).collect::<Vec<_>>()
        };
        let (mut right, mut left) = (step(true), step(false));
        right.rotate_right(1);
        left.reverse();
        assert_eq!((&right, &left), (&shown, &shown), "{width}");
    }
    // What was sorted by when the terminal was wider.
    let mut table = Table {
        sort: Column::Time,
        ..Table::default()
    };
    table.sort_beside(false, 80);
    assert_eq!(table.sort, Column::Memory);
}

#[test]
fn a_filter_wants_all_of_its_words_anywhere() {
    let shown = |filter: &str| {
        let table = Table {
            filter: filter.to_owned(),
            ..Table::default()
        };
        pids(&table, &frame(3))
    };
    assert_eq!(shown("ADA python"), ["4242", "4242"]);
    assert_eq!(shown("gpu1"), ["4242"]);
    assert_eq!(shown("slurm 123"), ["1300"]);
    assert_eq!(shown("77 graphics"), ["77"]);
    assert!(shown("ada grace").is_empty());
    assert_eq!(shown("  ").len(), 4);
}

#[test]
fn without_parents_the_tree_is_by_what_they_run_in() {
    let table = Table {
        tree: true,
        ..Table::default()
    };
    assert_eq!(
        pids(&table, &frame(3)),
        [
            "docker 0123456789ab (2, 76.0GiB)",
            "  4242",
            "  4242",
            "user grace (1, 1.0GiB)",
            "  77",
            "slurm 123 (1, n/a)",
            "  1300",
        ]
    );
}

#[test]
fn with_parents_the_tree_is_by_descent() {
    let parent = |pid, name: &str| Parent {
        pid,
        name: name.to_owned(),
    };
    let mut frame = frame(3);
    // systemd(1) - sshd(10) - bash(20) - { python3(4242), make(30) - ffmpeg(77) }; lmp(1300) is a child of nobody.
    frame.parents = [
        (10, parent(1, "sshd")),
        (20, parent(10, "bash")),
        (30, parent(20, "make")),
        (77, parent(30, "ffmpeg")),
        (4242, parent(20, "python3")),
        (1300, parent(1, "lmp")),
    ]
    .into();
    let table = Table {
        tree: true,
        ..Table::default()
    };
    assert_eq!(
        pids(&table, &frame),
        ["20 bash", "  4242", "  4242", "  30 make", "    77", "1300"]
    );
}

#[test]
fn a_circle_of_parents_ends() {
    let mut frame = frame(3);
    frame.parents = [(4242, 77), (77, 1300), (1300, 4242)]
        .map(|(pid, parent)| {
            (
                pid,
                Parent {
                    pid: parent,
                    name: String::new(),
                },
            )
        })
        .into();
    let table = Table {
        tree: true,
        ..Table::default()
    };
    assert_eq!(table.rows(&frame).len(), 4);
}

#[test]
fn the_selected_process_is_followed_when_the_order_changes() {
    let frame = frame(3);
    let mut table = Table::default();
    table.step(&frame, 2);
    assert_eq!(table.process(&frame).unwrap().pid, 77);
    table.sort_by(Column::Pid);
    assert_eq!(table.process(&frame).unwrap().pid, 77);
    assert_eq!(table.selected(&table.rows(&frame), &frame), Some(0));
}

#[test]
fn a_selected_process_that_ends_leaves_the_selection_where_it_was() {
    let mut frame = frame(3);
    let mut table = Table::default();
    table.step(&frame, isize::MAX);
    assert_eq!(table.process(&frame).unwrap().pid, 1300);
    frame.processes.processes.retain(|process| process.pid != 1300);
    assert_eq!(table.process(&frame).unwrap().pid, 77);
    frame.processes.processes.clear();
    assert_eq!(table.process(&frame), None);
    table.step(&frame, 1);
}

#[test]
fn headings_of_a_tree_cannot_be_selected() {
    let frame = frame(3);
    let mut table = Table {
        tree: true,
        ..Table::default()
    };
    assert_eq!(table.process(&frame).unwrap().pid, 4242);
    table.click(&frame, 0);
    assert_eq!(table.process(&frame).unwrap().pid, 4242);
    table.step(&frame, 2);
    assert_eq!(table.process(&frame).unwrap().pid, 77);
}
