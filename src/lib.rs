//! volatilityforge
