//! See the README of volatilityforge.
