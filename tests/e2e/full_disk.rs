//! A disk that has no room, or takes no more: what goes on, what is refused, and how a node ends that can keep nothing.

use rustix::process::{Resource, Rlimit, prlimit};
use stockade::base::{ChangeId, MarketId, OrderId, SiteId, SkuId};
use stockade::client::{Client, Response};
use stockade::engine::{Answer, Command, LineQuantity};
use stockade::wire::Refused;

use crate::child::{Ended, Node, Settings};
use crate::harness::{line, place, stocked};
use crate::room::Room;

const MIB: u64 = 1 << 20;

/// A shop with stock, to be asked while the disk has no room.
struct Shop {
    client: Client,
    market: MarketId,
    sku: SkuId,
}

impl Shop {
    async fn open(client: Client) -> Self {
        let (market, sku) = stocked(&client, "default", 1_000_000).await;
        Self { client, market, sku }
    }

    async fn submit(&self, command: &Command<'_>) -> Response {
        self.client.submit(command).await.expect("an answer")
    }

    async fn place(&self, order: OrderId) -> Response {
        self.submit(&place(order, &[line(self.sku, 2)])).await
    }

    async fn placed(&self) -> OrderId {
        let order = self.client.new_order_id(self.market);
        let response = self.place(order).await;
        assert!(is_placed(&response), "{response:?}");
        order
    }

    /// Places until the disk is found full, or found to have room again.
    async fn place_until(&self, enough: impl Fn(&Response) -> bool) {
        loop {
            let response = self.place(self.client.new_order_id(self.market)).await;
            if enough(&response) {
                return;
            }
            assert!(is_placed(&response) || is_disk_low(&response), "{response:?}");
        }
    }

    async fn carried_out(&self, command: &Command<'_>) {
        let response = self.submit(command).await;
        assert!(matches!(response, Response::Answered { .. }), "{command:?}: {response:?}");
    }

    async fn receive(&self) {
        let request = self.client.new_request_id(self.market);
        self.carried_out(&Command::Receive { request, sku: self.sku, site: SiteId(1), quantity: 1 }).await;
    }

    /// What an order may need that is there already, and what the warehouse has to tell.
    async fn everything_but_placing_goes_on(&self, first: OrderId, second: OrderId) {
        let again = self.place(first).await;
        let accepted = |response: &Response| {
            matches!(response, Response::Answered { answer: Answer::Placed { repeated: true, .. }, .. })
        };
        assert!(accepted(&again), "an acceptance stays accepted: {again:?}");
        let lines = &[LineQuantity { line: 0, quantity: 1 }];
        let site = SiteId(1);
        self.carried_out(&Command::Confirm { order: first, attempt: ChangeId(1) }).await;
        self.carried_out(&Command::HandOver { order: first, change: ChangeId(2), lines }).await;
        self.carried_out(&Command::ReturnToStock { order: first, change: ChangeId(3), site, lines }).await;
        self.carried_out(&Command::CancelLines { order: second, change: ChangeId(4), lines }).await;
        self.carried_out(&Command::Cancel { order: second, block: false }).await;
        self.receive().await;
    }
}

fn is_placed(response: &Response) -> bool {
    matches!(response, Response::Answered { answer: Answer::Placed { repeated: false, .. }, .. })
}

fn is_disk_low(response: &Response) -> bool {
    *response == Response::Refused(Refused::DiskLow)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn below_low_water_the_first_placement_is_refused_already_and_everything_else_goes_on() {
    let data = tempfile::tempdir().expect("a directory");
    let enough = Settings::new(data.path());
    let node = Node::start(&enough);
    let shop = Shop::open(node.client().await).await;
    let (market, sku) = (shop.market, shop.sku);
    let (first, second) = (shop.placed().await, shop.placed().await);
    drop(shop);
    node.stop();

    // More than any disk has.
    let node = Node::start(&Settings { low_water_bytes: 1 << 60, ..enough.clone() });
    let shop = Shop { client: node.client().await, market, sku };
    let response = shop.place(shop.client.new_order_id(market)).await;
    assert!(is_disk_low(&response), "{response:?}");
    shop.everything_but_placing_goes_on(first, second).await;
    // Several segments: what is urgent may use the room below low water.
    for _ in 0..200 {
        shop.receive().await;
    }
    drop(shop);
    node.stop();

    let node = Node::start(&enough);
    let shop = Shop { client: node.client().await, market, sku };
    shop.placed().await;
    drop(shop);
    node.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_disk_that_fills_up_stops_placements_only_until_there_is_room_again() {
    let Some(room) = Room::mounted("size=16m") else { return };
    let data = room.path().join("data");
    let settings =
        Settings { through: room.entrance(), low_water_bytes: 4 * MIB, probes: true, ..Settings::new(&data) };
    let seen = room.seen_from_here().join("data");
    let node = Node::start(&settings);
    let shop = Shop::open(node.client_that_trusts(&seen).await).await;
    let (first, second) = (shop.placed().await, shop.placed().await);
    let (third, fourth) = (shop.placed().await, shop.placed().await);

    room.leave(MIB);
    shop.place_until(is_disk_low).await;
    shop.everything_but_placing_goes_on(first, second).await;
    for _ in 0..150 {
        shop.receive().await;
    }
    room.leave(0);
    assert_eq!(room.free_bytes(), 0);
    let response = shop.place(shop.client.new_order_id(shop.market)).await;
    assert!(is_disk_low(&response), "{response:?}");
    shop.everything_but_placing_goes_on(third, fourth).await;

    room.clear();
    shop.place_until(is_placed).await;
    drop(shop);
    node.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_starts_again_on_a_full_disk() {
    let Some(room) = Room::mounted("size=16m") else { return };
    let settings = Settings {
        through: room.entrance(),
        low_water_bytes: 4 * MIB,
        probes: true,
        ..Settings::new(&room.path().join("data"))
    };
    let seen = room.seen_from_here().join("data");
    let node = Node::start(&settings);
    let shop = Shop::open(node.client_that_trusts(&seen).await).await;
    let (market, sku) = (shop.market, shop.sku);
    let (first, second) = (shop.placed().await, shop.placed().await);
    drop(shop);
    node.stop();
    room.leave(0);

    let node = Node::start(&settings);
    let shop = Shop { client: node.client_that_trusts(&seen).await, market, sku };
    let response = shop.place(shop.client.new_order_id(market)).await;
    assert!(is_disk_low(&response), "{response:?}");
    shop.everything_but_placing_goes_on(first, second).await;
    room.clear();
    shop.place_until(is_placed).await;
    drop(shop);
    node.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_node_whose_log_cannot_be_written_answers_nothing_more_and_ends_with_its_own_exit_code() {
    let data = tempfile::tempdir().expect("a directory");
    // The kernel sends SIGXFSZ with the error; a node that is not killed by it sees the error.
    let ignoring = ["sh", "-c", r#"trap "" XFSZ; exec "$0" "$@""#];
    let settings = Settings { through: ignoring.map(Into::into).into(), ..Settings::new(data.path()) };
    let node = Node::start(&settings);
    let shop = Shop::open(node.client().await).await;
    let (market, sku) = (shop.market, shop.sku);
    let kept = shop.placed().await;

    let nothing = Rlimit { current: Some(0), maximum: Some(0) };
    prlimit(Some(node.pid()), Resource::Fsize, nothing).expect("a child of ours");
    let unknown = shop.client.new_order_id(market);
    let asking = tokio::spawn(async move {
        let lines = [line(shop.sku, 2)];
        shop.client.submit(&place(unknown, &lines)).await.map(drop)
    });
    let Ended { code, said } = node.wait();
    assert_eq!(code, Some(12), "{said}");
    assert!(said.contains("the log can keep nothing more") && said.contains("log-0000000001.segment"), "{said}");
    asking.abort();
    assert!(asking.await.is_err(), "nobody answered");

    // Its outcome was never told. Sent again it is placed, once.
    let node = Node::start(&Settings::new(data.path()));
    let shop = Shop { client: node.client().await, market, sku };
    let response = shop.place(kept).await;
    assert!(
        matches!(response, Response::Answered { answer: Answer::Placed { repeated: true, .. }, .. }),
        "{response:?}"
    );
    let response = shop.place(unknown).await;
    assert!(matches!(response, Response::Answered { answer: Answer::Placed { .. }, .. }), "{response:?}");
    drop(shop);
    node.stop();
}
