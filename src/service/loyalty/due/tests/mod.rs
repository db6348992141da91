//! Due things on a real database, with lots that are written as a later use case will write them.

mod order;
mod sweeping;
mod undone;
mod world;
