//! The report beside writes: both read the figures and the books, which a batch changes together.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::support::TestApp;

#[test]
fn the_ledger_summary_and_credits_do_not_wait_for_each_other_and_show_one_moment() {
    let app = TestApp::start();
    app.member("ada", 1);
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let body = json!({"externalUserID": "ada", "amount": 1});
                while !is_over.load(Ordering::Relaxed) {
                    app.post("/v1/wallet/credit", &body).expect(200);
                }
            });
        }
        let reader = || {
            for _ in 0..2_000 {
                let page = app.get("/v1/reports/ledger-summary").expect(200);
                let row: &Value = &page["data"][0];
                assert_eq!(row["current_balance"], row["total_issued"]);
                assert_eq!(row["participant_count"], 1);
            }
        };
        let readers = [scope.spawn(reader), scope.spawn(reader)];
        let results = readers.map(std::thread::ScopedJoinHandle::join);
        is_over.store(true, Ordering::Relaxed);
        for result in results {
            result.unwrap();
        }
    });
}
