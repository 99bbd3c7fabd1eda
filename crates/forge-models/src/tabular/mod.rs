//! Models of table rows.

mod backbone;
mod ft_transformer;
mod limits;
mod tabular_mlp;
mod tabular_resnet;
mod token_head;
mod token_model;

pub use backbone::Backbone;
pub use ft_transformer::{
    FfnActivation, FtTransformer, FtTransformerBackbone, FtTransformerBlock, FtTransformerConfig,
};
pub use tabular_mlp::{TabularMlp, TabularMlpConfig};
pub use tabular_resnet::{TabularResNet, TabularResNetBlock, TabularResNetConfig};
pub use token_head::TokenHead;
pub use token_model::TokenModel;
