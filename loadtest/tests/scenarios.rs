//! Whole runs of the generator against a server it starts: small ones, and what they must report.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn loadtest(arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_loadtest")).args(arguments.split_whitespace()).output().expect("it runs")
}

/// Runs with `--json`, `--hgrm` and `--html`; exit code, JSON, distribution. The page is looked at here.
fn run(arguments: &str) -> (i32, Value, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let [json, hgrm, html] = ["json", "hgrm", "html"].map(|kind| directory.path().join(format!("run.{kind}")));
    let files = format!("--json {} --hgrm {} --html {}", json.display(), hgrm.display(), html.display());
    let output = loadtest(&format!("{arguments} {files}"));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let read = |path: &Path| std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{error}: {said}"));
    let report: Value = serde_json::from_str(&read(&json)).expect("JSON");
    let page = read(&html);
    let scenario = report["scenario"].as_str().expect("a name");
    let title = format!("<h1>Stockade load test: {scenario}</h1>");
    assert!(page.contains(&title) && page.ends_with("</html>\n"), "{page}");
    (output.status.code().expect("an exit code"), report, read(&hgrm))
}

fn check_good(code: i32, report: &Value) {
    assert_eq!(code, 0, "{report:#}");
    assert_eq!((&report["errors"], &report["audit"]["ok"]), (&Value::from(0), &Value::from(true)), "{report:#}");
    assert_eq!(report["audit"]["log"], true, "the log agrees as well: {report:#}");
}

#[test]
fn a_flash_sale_sells_every_unit_and_not_one_more() {
    let (code, report, hgrm) =
        run("flash --orders 20000 --units 1000 --warm-up 500 --batch 100 --customers 7 --seed 1");
    check_good(code, &report);
    for (key, value) in [("orders", 20_000), ("reserved", 1_000), ("sold_out", 19_000), ("other_refusals", 0)] {
        assert_eq!(report[key], value, "{key}: {report:#}");
    }
    assert_eq!(report["settings"]["short_run"], true);
    assert!(report["server"]["syncs"].as_u64() > Some(0) && report["server"]["log_bytes"].as_u64() > Some(0));
    assert!(report["latency_us"]["p50"].as_f64() <= report["latency_us"]["max"].as_f64());
    assert!(hgrm.contains("Total count    =        20000]"), "{hgrm}");
}

#[test]
fn a_shop_of_many_skus_sells_what_there_is_of_each() {
    let (code, report, _) =
        run("uniform --orders 30000 --skus 700 --zipf 1.1 --units 50 --batch 100 --seed 1 --shards 2");
    check_good(code, &report);
    let number = |key: &str| report[key].as_u64().expect("a number");
    assert_eq!(number("reserved") + number("sold_out"), 30_000, "{report:#}");
    assert!(number("reserved") < 700 * 50 && number("sold_out") > 5_000, "some are gone and some are left: {report:#}");
    let (code, report, _) =
        run("uniform --orders 20000 --markets 60 --skus 20 --units 5 --batch 50 --seed 1 --shards 3");
    check_good(code, &report);
    let (code, report, _) = run("uniform --orders 20000 --skus 300 --zipf 0 --units 1000000 --batch 50 --seed 1");
    check_good(code, &report);
    assert_eq!((&report["scenario"], &report["reserved"]), (&Value::from("uniform"), &Value::from(20_000)));
}

#[test]
fn carts_of_several_lines_are_sold_whole_or_not_at_all() {
    let (code, report, _) = run("flash --orders 3000 --units 700 --lines 4 --warm-up 100 --batch 50 --seed 2");
    check_good(code, &report);
    assert_eq!((&report["reserved"], &report["sold_out"]), (&Value::from(700), &Value::from(2_300)), "{report:#}");
}

#[test]
fn frames_of_one_order_over_many_connections_are_all_answered() {
    let (code, report, _) =
        run("flash --orders 3000 --units 3000 --warm-up 0 --batch 1 --connections 10 --in-flight 10");
    check_good(code, &report);
    assert_eq!(report["reserved"], 3_000);
}

#[test]
fn short_reservations_expire_and_the_books_say_so() {
    let (code, report, _) = run("flash --orders 500 --units 500 --warm-up 10 --batch 50 --hold 1");
    check_good(code, &report);
    assert_eq!(report["reserved"], 500);
}

#[test]
fn an_open_loop_sends_at_its_rate_and_says_whether_it_could() {
    let (code, report, _) = run("flash --rate 2000 --duration 1 --units 100000 --warm-up 0 --batch 1");
    let open = &report["open_loop"];
    let late = open["generator_was_the_limit"].as_bool().expect("a verdict");
    assert_eq!(code, if late { 13 } else { 0 }, "{report:#}");
    assert_eq!(report["audit"]["ok"], true, "{report:#}");
    let orders = report["orders"].as_u64().expect("a count");
    assert!((1_700..=2_300).contains(&orders), "2,000 orders, give or take six deviations: {orders}");
    assert_eq!(open["sends"], orders);
}

#[test]
fn a_flood_over_the_limit_is_held_to_it_and_urgent_commands_pass() {
    let (code, report, _) =
        run("overload --limit 2000 --times 3 --duration 1 --urgent 200 --in-time 20000 --batch 5 --connections 2");
    check_good(code, &report);
    let steps = report["overload"]["steps"].as_array().expect("steps");
    let names: Vec<_> = steps.iter().map(|step| step["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["calm", "3 times the limit", "the second after", "calm again"]);
    let flood = &steps[1];
    let accepted = flood["accepted_per_s"].as_f64().expect("a rate");
    // A tenth of a second of the limit may come at once, and the last second of an open loop is not a round number.
    assert!((1_800.0..=2_600.0).contains(&accepted), "the limit is 2,000 a second: {flood:#}");
    assert!(flood["overloaded"].as_u64() > Some(2_000), "{flood:#}");
    let urgent = &flood["urgent"];
    assert_eq!((&urgent["commands"], &urgent["in_time"]), (&Value::from(200), &Value::from(1.0)), "{urgent:#}");
    let refused = steps[0]["overloaded"].as_u64().expect("a count") + steps[3]["overloaded"].as_u64().expect("a count");
    assert_eq!(refused, 0, "below the limit nobody is held back: {report:#}");
}

#[test]
fn a_mixed_sale_is_paid_and_handed_over_by_adapters_and_the_books_know_each_order() {
    let (code, report, _) =
        run("mixed --rate 500 --duration 2 --delay 1 --declined 100 --lost 5 --repeated 200 --batch 2 --seed 3");
    check_good(code, &report);
    assert_eq!((&report["sold_out"], &report["other_refusals"]), (&Value::from(0), &Value::from(0)));
    let count = |name: &str| report["mixed"][name].as_u64().expect("a count");
    assert_eq!(count("completed") + count("cancelled") + count("expired"), report["orders"].as_u64().expect("a count"));
    assert_eq!((count("regretted"), count("reviewed")), (50, 20));
    assert_eq!((count("reported"), count("paid_otherwise"), count("partly_refunded")), (80, 16, 16));
    for name in ["completed", "cancelled", "expired"] {
        assert!(count(name) > 20, "{name}: {report:#}");
    }
}

#[test]
fn a_soak_comes_to_a_sales_proportions_and_is_not_judged_before_it_has_settled() {
    let (code, report, hgrm) = run("soak --orders 10000 --rate 2500 --window 0 --connections 3 --batch 130 --seed 8");
    check_good(code, &report);
    for (key, value) in [("orders", 10_000), ("reserved", 10_000), ("sold_out", 0), ("other_refusals", 0)] {
        assert_eq!(report[key], value, "{key}: {report:#}");
    }
    let soak = &report["soak"];
    for (key, value) in [("commands", 26_500), ("handed_over", 8_000), ("cancelled", 500), ("expired", 1_500)] {
        assert_eq!(soak[key], value, "{key}: {soak:#}");
    }
    assert_eq!((&soak["under_formula"], &soak["memory"], &soak["disk"]), (&true.into(), &Value::Null, &Value::Null));
    assert!(soak["kept_max"].as_u64() > Some(5_000) && soak["rss_max_bytes"].as_u64() > Some(0), "{soak:#}");
    assert!(hgrm.contains("Total count    =        10000]"), "{hgrm}");
}

#[test]
fn readings_beside_checkouts_bring_what_is_known_and_the_books_know_each_order() {
    let sizes = "--book 5000 --customers 3 --skus 2 --rows 500 --connections 2";
    let (code, report, hgrm) =
        run(&format!("readings --rate 300 --readings 200 --duration 0.7 --pairs 2 {sizes} --seed 6"));
    check_good(code, &report);
    assert_eq!((&report["sold_out"], &report["other_refusals"]), (&Value::from(0), &Value::from(0)), "{report:#}");
    let readings = &report["readings"];
    let phases = readings["phases"].as_array().expect("phases");
    let beside: Vec<bool> = phases.iter().map(|phase| !phase["readings"].is_null()).collect();
    assert_eq!(beside, [false, true, true, false], "which comes first changes from pair to pair");
    let checkouts: u64 = phases.iter().map(|phase| phase["checkouts"].as_u64().expect("a count")).sum();
    assert_eq!(report["reserved"], checkouts, "every order was confirmed: {readings:#}");
    assert!(hgrm.contains(&format!("Total count    = {checkouts:12}]")), "{hgrm}");
    for phase in phases.iter().filter(|phase| !phase["readings"].is_null()) {
        let (answered, rows) = (phase["readings"]["answered"].as_u64(), phase["readings"]["rows"].as_u64());
        assert!(answered > Some(100) && rows > answered.map(|answered| 50 * answered), "pages: {phase:#}");
    }
    assert_eq!(readings["verdict"]["p99_ratios"].as_array().map(Vec::len), Some(2), "{readings:#}");
}

#[test]
fn hostile_clients_of_every_kind_take_no_more_memory_than_the_formula_and_no_honest_order_is_lost() {
    let sizes = "--attackers 6 --over 0.2 --streams 60 --handshakes 20 --idle 40";
    let (code, report, hgrm) = run(&format!("hostile --rate 500 --duration 1 {sizes} --batch 2 --seed 4"));
    check_good(code, &report);
    assert_eq!((&report["sold_out"], &report["other_refusals"]), (&Value::from(0), &Value::from(0)), "{report:#}");
    let orders = report["orders"].as_u64().expect("a count");
    assert!(hgrm.contains(&format!("Total count    = {orders:12}]")), "{hgrm}");
    let hostile = &report["hostile"];
    assert_eq!(hostile["verdict"]["memory_under_formula"], true, "{hostile:#}");
    let phases = hostile["phases"].as_array().expect("phases");
    let names: Vec<_> = phases.iter().map(|phase| phase["name"].as_str().expect("a name")).collect();
    let kinds = ["never-reads", "half-frames", "streams", "handshakes", "gaps", "idle"];
    assert_eq!(names, ["alone"].into_iter().chain(kinds).chain(["alone again"]).collect::<Vec<_>>());
    let count = |phase: usize, what: &str| phases[phase]["attackers"][what].as_u64().expect("a count");
    for (phase, connections) in [(1, 6), (2, 6), (3, 6), (6, 40)] {
        assert_eq!(count(phase, "opened"), connections, "{:#}", phases[phase]);
        let open = phases[phase]["memory"]["connections"].as_u64();
        assert!(open >= Some(connections), "all of them at once: {:#}", phases[phase]);
    }
    assert!(count(4, "opened") >= 10, "{:#}", phases[4]);
    assert!(count(3, "streams") >= 20, "{:#}", phases[3]);
    assert!(count(1, "sent_bytes") > 6 * 100_000, "large questions: {:#}", phases[1]);
    let ended = phases[5]["attackers"]["ended"].as_object().expect("counts");
    assert!(ended.keys().eq(["code 16, TooManyGaps"]), "whoever sends gaps is thrown out: {:#}", phases[5]);
}

#[test]
fn a_run_beside_hostile_clients_fails_for_latency_only_when_that_is_asked_for() {
    let (code, report, _) = run("hostile --rate 500 --duration 0.5 --kinds idle --idle 1 --p99-ratio-max 0.0001");
    assert_eq!((code, &report["audit"]["ok"]), (1, &Value::from(true)), "{report:#}");
    assert_eq!(report["errors"], 0);
}

#[test]
fn what_was_answered_survives_every_kill() {
    let (code, report, _) = run("crash --cycles 3 --orders 6000 --seed 5");
    check_good(code, &report);
    assert_eq!((&report["orders"], &report["crash"]["cycles"]), (&Value::from(6_000), &Value::from(3)), "{report:#}");
}

#[test]
fn a_server_that_forgets_is_found_out() {
    let output = loadtest("crash --cycles 1 --orders 2000 --durability memory");
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn arguments_that_make_no_sense_are_refused_with_a_reason() {
    for (arguments, words) in [
        ("", "Usage"),
        ("flash --orders 0", "--orders"),
        ("flash --orders 5 --duration 5", "--duration"),
        ("replay /nowhere/orders.csv", "cannot open /nowhere/orders.csv"),
        ("crash --connect 127.0.0.1:9", "leave out --connect"),
    ] {
        let output = loadtest(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments}: {said}");
        assert!(said.contains(words), "{arguments}: {said}");
    }
}
