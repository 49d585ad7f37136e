//! The edge to the machine: one rootless Docker engine, one shell and one workspace for one exercise.

pub mod wire;
