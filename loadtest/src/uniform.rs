//! A shop of many SKUs: a sale whose orders spread over them as a law of popularity says.

use crate::arguments::{Flash, Uniform};
use crate::drive::Spread;
use crate::failure::Failure;
use crate::flash::{self, Many};
use crate::host::Room;
use crate::report::Report;
use crate::session::Session;

/// Orders of the warm-up.
const WARM_UP: u64 = 10_000;
/// What our own server has room for, less those of the warm-up.
const SKUS_MAX: u32 = 400_000;
/// Reservations outlive every run.
const HOLD_S: u32 = 2_678_400;

/// The same as a sale of one SKU.
fn as_flash(uniform: &Uniform) -> Flash {
    let Uniform { markets: _, skus: _, zipf: _, units, orders, duration, connections, in_flight, batch, rate } =
        *uniform;
    Flash {
        units,
        lines: 1,
        customers: None,
        orders,
        duration,
        connections,
        in_flight,
        batch,
        rate,
        hold: HOLD_S,
        warm_up: WARM_UP,
    }
}

/// What our own server must have room for.
pub(crate) fn room(uniform: &Uniform) -> Room {
    let flash = as_flash(uniform);
    let skus = u64::from(uniform.markets) * u64::from(uniform.skus);
    flash::room(&Flash { units: uniform.units.saturating_mul(skus), ..flash })
}

/// Runs it.
pub(crate) async fn run(uniform: &Uniform, session: &mut Session) -> Result<Report, Failure> {
    if uniform.markets.saturating_mul(uniform.skus) > SKUS_MAX {
        return Err(Failure::Usage("--markets times --skus is at most 400,000"));
    }
    let many = Many { markets: uniform.markets, spread: Spread::new(uniform.skus, uniform.zipf) };
    flash::run_sale("uniform", &as_flash(uniform), Some(many), session).await
}
