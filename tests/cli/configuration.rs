//! Settings out of a file, the environment and flags, as the program takes them.

use crate::harness::{Ended, program, run};

#[test]
fn an_unknown_key_anywhere_is_refused_with_the_list_of_keys() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("stockade.toml"), "order_max = 5\n").expect("written");
    let error = run(dir.path(), &["serve", "--config", "stockade.toml"]).failed(2);
    assert!(error.contains("order_max") && error.contains("stockade.toml") && error.contains("orders_max"), "{error}");
    let ended = program(dir.path()).arg("status").env("STOCKADE_ORDER_MAX", "5").output().expect("the program runs");
    let error = Ended::of(ended).failed(2);
    assert!(error.contains("STOCKADE_ORDER_MAX") && error.contains("orders_max"), "{error}");
}

#[test]
fn the_flag_wins_and_the_error_says_where_the_value_stands() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("stockade.toml"), "shards = 'file'\n").expect("written");
    let serve = |environment: Option<&str>, flags: &[&str]| {
        let mut command = program(dir.path());
        command.args(["serve", "--http-address", "none", "--config", "stockade.toml"]).args(flags);
        environment.iter().for_each(|value| {
            command.env("STOCKADE_SHARDS", value);
        });
        Ended::of(command.output().expect("the program runs")).failed(2)
    };
    assert!(serve(None, &[]).contains("shards = \"file\" in stockade.toml"));
    assert!(serve(Some("environment"), &[]).contains("STOCKADE_SHARDS"));
    assert!(serve(Some("environment"), &["--shards", "flag"]).contains("given with --shards"));
}

#[test]
fn help_is_there_for_newcomers() {
    let dir = tempfile::tempdir().expect("a directory");
    let help = run(dir.path(), &["--help"]).ok();
    assert!(help.contains("stockade order place --line MUG-BLUE=2@12.50") && help.contains("Exit codes"), "{help}");
    assert!(run(dir.path(), &["sell"]).failed(2).contains("--help"));
}

#[test]
fn a_webhook_that_could_not_work_is_refused_before_anything_starts() {
    let dir = tempfile::tempdir().expect("a directory");
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).expect("written");
    write("good", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n");
    write("short", "whsec_MfKQ\n");
    write("empty", "\n");
    let refused = |flags: &[&str]| {
        let serve = ["serve", "--address", "127.0.0.1:0", "--http-address", "none", "--webhook-url"];
        run(dir.path(), &[&serve, flags].concat()).failed(2)
    };
    let here = "http://127.0.0.1:9/";
    for (flags, why) in [
        (&[here][..], "webhook.url is given and webhook.secret_file is not: set both"),
        (&["http://erp.example.org/", "--webhook-secret-file", "good"], "http:// to a receiver on this machine"),
        (&[here, "--webhook-secret-file", "absent"], "the webhook webhook: absent: No such file or directory"),
        (&[here, "--webhook-secret-file", "short"], "short: a secret has 24 to 64 bytes, not 3"),
        (&[here, "--webhook-secret-file", "empty"], "empty: it must hold 1 to 4 secrets, one a line, not 0"),
        (&[here, "--webhook-secret-file", "good", "--webhook-name", "a b"], "1 to 32 letters, digits, - or _"),
        (&[here, "--webhook-secret-file", "good", "--durability", "memory"], "durability is memory"),
        (&["https://localhost/", "--webhook-secret-file", "good", "--webhook-ca", "good"], "good: it holds no cert"),
    ] {
        let said = refused(flags);
        assert!(said.contains(why), "{flags:?}: {said}");
    }
    assert!(!dir.path().join("data").exists(), "nothing was made");
}
