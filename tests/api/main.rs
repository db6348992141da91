//! The API from outside: one program, one module a resource, every test on a server of its own.

#[path = "../support/mod.rs"]
mod support;

mod health;
