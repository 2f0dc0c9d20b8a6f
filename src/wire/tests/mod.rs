//! Tests of every shape: it comes back as it went in, it never panics, and its bytes never change.

mod damage;
mod golden;
mod limits;
mod python;
mod round_trip;
mod samples;
mod text;
mod writing;
