//! The operations.

mod agreement;
mod attention_oracle;
mod attention_semantics;
mod attention_tiles;
mod awkward;
mod batch_norms;
mod burn_operations;
mod capture;
mod cases;
mod channel_affines;
mod convolutions;
mod devices;
mod evaluation;
mod learning;
mod parts;
mod products;
mod recurrences;
mod recycled;
mod second_order;
mod stability;
