//! The operations.

mod agreement;
mod attention_oracle;
mod attention_semantics;
mod capture;
mod cases;
mod devices;
mod evaluation;
mod second_order;
