//! What a Parquet value stands for.

use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::data_type::Int96;
use parquet::schema::types::ColumnDescriptor;

use super::cell::Cell;
use super::parquet_file::logical;
use crate::DataError;
use crate::schema::{ColumnKind, date_time};

/// What a column's values stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The number, boolean or time that the physical type is.
    Plain,
    /// An integer without a sign.
    Unsigned,
    /// An integer to be divided by a power of ten.
    Decimal { scale: u32 },
    /// Days since 1970-01-01.
    Days,
    /// Ticks since 1970-01-01, and how many there are in a millisecond.
    Timestamp { per_millisecond: i64 },
    /// Ticks since midnight, and how many there are in a millisecond.
    TimeOfDay { per_millisecond: i64 },
    /// Ticks of elapsed time, and how many there are in a day.
    Elapsed { per_day: i64 },
    /// A float of 16 bits.
    Float16,
    /// UTF-8.
    Text,
    /// 16 bytes.
    Uuid,
}

impl Meaning {
    /// The meaning of a column and the kind it gets.
    pub(crate) fn of(column: &ColumnDescriptor) -> Result<(Self, ColumnKind), DataError> {
        let physical = column.physical_type();
        let logical = logical(column);
        let refuse = |what: &str| {
            DataError::unsupported(format!(
                "the column holds {what}, which a table cannot; declare it `ignore`"
            ))
        };
        let per_millisecond = |unit: &TimeUnit| match unit {
            TimeUnit::MILLIS => 1,
            TimeUnit::MICROS => 1_000,
            TimeUnit::NANOS => 1_000_000,
        };
        let integers = matches!(physical, Physical::INT32 | Physical::INT64);
        let strings = physical == Physical::BYTE_ARRAY;
        let bytes = strings || physical == Physical::FIXED_LEN_BYTE_ARRAY;
        if column.converted_type() == ConvertedType::INTERVAL {
            return Err(refuse("intervals"));
        }
        Ok(match (&logical, physical) {
            (Some(LogicalType::Integer(int)), _) if integers && !int.is_signed => {
                (Self::Unsigned, ColumnKind::Numeric)
            }
            (Some(LogicalType::Decimal(decimal)), _) if integers || bytes => {
                let scale = u32::try_from(decimal.scale)
                    .ok()
                    .filter(|scale| *scale <= 400)
                    .ok_or_else(|| {
                        DataError::parse(format!("the decimals have scale {}", decimal.scale))
                    })?;
                (Self::Decimal { scale }, ColumnKind::Numeric)
            }
            (Some(LogicalType::Date), Physical::INT32) => (Self::Days, ColumnKind::DateTime),
            (Some(LogicalType::Timestamp(time)), Physical::INT64) => {
                let per_millisecond = per_millisecond(&time.unit);
                (Self::Timestamp { per_millisecond }, ColumnKind::DateTime)
            }
            (Some(LogicalType::Time(time)), _) if integers => {
                let per_millisecond = per_millisecond(&time.unit);
                (Self::TimeOfDay { per_millisecond }, ColumnKind::Numeric)
            }
            (Some(LogicalType::Float16), Physical::FIXED_LEN_BYTE_ARRAY) => {
                (Self::Float16, ColumnKind::Numeric)
            }
            (Some(LogicalType::Uuid), Physical::FIXED_LEN_BYTE_ARRAY) => {
                (Self::Uuid, ColumnKind::Categorical)
            }
            (Some(LogicalType::Bson), _) => return Err(refuse("BSON")),
            (Some(LogicalType::Geometry(_) | LogicalType::Geography(_)), _) => {
                return Err(refuse("geometries"));
            }
            (Some(LogicalType::Variant(_) | LogicalType::File), _) => {
                return Err(refuse("structured values"));
            }
            (_, Physical::BOOLEAN) => (Self::Plain, ColumnKind::Categorical),
            (_, Physical::INT96) => (Self::Plain, ColumnKind::DateTime),
            (_, Physical::BYTE_ARRAY) => (Self::Text, ColumnKind::Categorical),
            (_, Physical::FIXED_LEN_BYTE_ARRAY) => return Err(refuse("bytes without a type")),
            _ => (Self::Plain, ColumnKind::Numeric),
        })
    }

    pub(crate) fn int32(self, value: i32) -> Result<Cell<'static>, DataError> {
        match self {
            Self::Unsigned => Ok(Cell::Integer(i128::from(value.cast_unsigned()))),
            Self::Days => Ok(Cell::Time(i64::from(value) * date_time::DAY)),
            other => other.int64(value.into()),
        }
    }

    pub(crate) fn int64(self, value: i64) -> Result<Cell<'static>, DataError> {
        Ok(match self {
            Self::Unsigned => Cell::Integer(i128::from(value.cast_unsigned())),
            Self::Decimal { scale } => Cell::Number(decimal(value.into(), scale)),
            Self::Timestamp { per_millisecond } => {
                let time = value.div_euclid(per_millisecond);
                if value.rem_euclid(per_millisecond) == 0 {
                    Cell::Time(time)
                } else {
                    Cell::CutTime(time)
                }
            }
            Self::TimeOfDay { per_millisecond } => {
                let day = (date_time::DAY * per_millisecond) as f64;
                Cell::Days(value as f64 / day)
            }
            Self::Elapsed { per_day } => Cell::Days(value as f64 / per_day as f64),
            _ => Cell::Integer(value.into()),
        })
    }

    /// Nanoseconds of a day and a Julian day: the timestamps of older writers.
    pub(crate) fn int96(value: &Int96) -> Result<Cell<'static>, DataError> {
        let [low, high, day] = value.data() else {
            return Err(DataError::parse("a timestamp is not 12 bytes long"));
        };
        let nanoseconds = (u64::from(*high) << 32 | u64::from(*low)).cast_signed();
        let days = i64::from(day.cast_signed()) - 2_440_588;
        let time = days * date_time::DAY + nanoseconds.div_euclid(1_000_000);
        Ok(if nanoseconds.rem_euclid(1_000_000) == 0 {
            Cell::Time(time)
        } else {
            Cell::CutTime(time)
        })
    }

    pub(crate) fn bytes<'a>(
        self,
        bytes: &'a [u8],
        text: &'a mut String,
    ) -> Result<Cell<'a>, DataError> {
        match self {
            Self::Decimal { scale } => {
                let [first, ..] = bytes else {
                    return Err(DataError::parse("a decimal has no bytes"));
                };
                if bytes.len() > 16 {
                    return Err(DataError::unsupported(format!(
                        "a decimal has {} bytes; decimals of up to 16 bytes are read",
                        bytes.len()
                    )));
                }
                // Big-endian with the sign in the first bit.
                let start = if first & 0x80 == 0 { 0 } else { -1 };
                let unscaled = bytes
                    .iter()
                    .fold(start, |n: i128, b| n << 8 | i128::from(*b));
                Ok(Cell::Number(decimal(unscaled, scale)))
            }
            Self::Float16 => match bytes {
                [low, high] => Ok(Cell::Number(half(u16::from_le_bytes([*low, *high])))),
                _ => Err(DataError::parse("a 16-bit float is not 2 bytes long")),
            },
            Self::Uuid => {
                use std::fmt::Write as _;
                text.clear();
                for (i, byte) in bytes.iter().enumerate() {
                    let dash = if matches!(i, 4 | 6 | 8 | 10) { "-" } else { "" };
                    let _ = write!(text, "{dash}{byte:02x}");
                }
                Ok(Cell::Text(text))
            }
            _ => match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Cell::Text(text)),
                Err(e) => Err(DataError::parse(format!(
                    "byte 0x{:02X} at offset {} of the text is not UTF-8",
                    bytes[e.valid_up_to()],
                    e.valid_up_to()
                ))),
            },
        }
    }
}

/// The nearest f64 to `unscaled / 10^scale`.
fn decimal(unscaled: i128, scale: u32) -> f64 {
    // Both exact, so that their quotient is the nearest.
    if unscaled.unsigned_abs() < 1 << 53 && scale <= 22 {
        return unscaled as f64 / 10f64.powi(scale.cast_signed());
    }
    format!("{unscaled}e-{scale}").parse().unwrap_or(f64::NAN)
}

/// The value of IEEE 754 binary16 bits.
fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f64::from(bits & 0x3ff);
    match exponent {
        0 => sign * fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        _ => sign * (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::{decimal, half};

    #[test]
    fn halves_are_exact() {
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65_504.0),
            (0x0001, 5.960_464_477_539_063e-8),
            (0x03ff, 6.097_555_160_522_461e-5),
            (0x7c00, f64::INFINITY),
            (0x3555, 0.333_251_953_125),
        ] {
            assert_eq!(half(bits), value, "{bits:x}");
        }
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn decimals_are_the_nearest_float() {
        assert_eq!(decimal(12_345, 2), 123.45);
        assert_eq!(decimal(-1, 1), -0.1);
        assert_eq!(
            decimal(123_456_789_012_345_678_901_234_567_890, 30),
            0.123_456_789_012_345_68
        );
        assert_eq!(decimal(3, 30), 3e-30);
    }
}
