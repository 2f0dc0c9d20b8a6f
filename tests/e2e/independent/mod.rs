//! A client that shares no line with ours: Python and aioquic, written from `docs/WIRE-PROTOCOL.md`,
//! `docs/PAYMENTS.md`, `docs/CHECKS.md` and `docs/RETURNS.md` alone.
//!
//! It is installed by this test into a directory of its own below `target`. Without Python or without a network the
//! first time, the test says on standard error that it proved nothing.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::child::{Node, Settings};

const HERE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/independent");

/// Python with what the client needs; why there is none.
fn python() -> Result<PathBuf, String> {
    let room = Path::new(env!("CARGO_TARGET_TMPDIR")).join("independent-client");
    let python = room.join("bin/python");
    let run = |command: &mut Command| match command.output() {
        Ok(Output { status, .. }) if status.success() => Ok(()),
        Ok(Output { stderr, .. }) => Err(String::from_utf8_lossy(&stderr).into_owned()),
        Err(error) => Err(error.to_string()),
    };
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&room))?;
    }
    // Says quickly that everything is there when it is.
    let requirements = Path::new(HERE).join("requirements.txt");
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet", "--requirement"]).arg(requirements))?;
    Ok(python)
}

#[test]
fn a_client_written_from_the_document_alone_shops_and_is_refused_as_it_says() {
    let python = match python() {
        Ok(python) => python,
        Err(why) => {
            let text = format!("\n*** NOT RUN: aioquic cannot be installed here; no independent client ***\n{why}\n");
            // Past the capture of the test harness, on purpose.
            std::io::stderr().write_all(text.as_bytes()).expect("standard error is open");
            return;
        }
    };
    let dir = tempfile::tempdir().expect("a directory");
    let node = Node::start(&Settings::new(dir.path()));
    let mut client = Command::new(python);
    client.arg(Path::new(HERE).join("client.py")).arg(node.address.port().to_string());
    let Output { status, stdout, stderr } = client.arg(dir.path().join("dev/cert.pem")).output().expect("python runs");
    let said = format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{said}");
    assert_eq!(said.lines().count(), 11, "{said}");
    node.stop();
}
