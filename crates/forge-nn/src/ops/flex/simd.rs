//! Loops compiled for several instruction sets and chosen at run time.

/// The widest instruction set of this machine that the kernels are compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Whatever the build targets.
    Baseline,
    /// AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 F, BW, DQ and VL.
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

/// The level of this machine; the standard library caches the detection.
#[inline]
pub(crate) fn level() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("fma")
        {
            return Level::Avx512;
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return Level::Avx2;
        }
    }
    Level::Baseline
}

/// Defines a function over slices whose body is compiled for each [`Level`].
///
/// A macro, because a closure handed to a function with target features is only compiled with
/// them if it happens to be inlined; here the body is `inline(always)` in each of the copies.
macro_rules! multiversion {
    ($(#[$meta:meta])* $vis:vis fn $name:ident<E>($($arg:ident: $ty:ty),* $(,)?) $(-> $ret:ty)? $body:block) => {
        $(#[$meta])*
        #[allow(clippy::too_many_arguments)]
        $vis fn $name<E: $crate::ops::flex::Real>($($arg: $ty),*) $(-> $ret)? {
            #[inline(always)]
            #[allow(clippy::too_many_arguments)]
            fn body<E: $crate::ops::flex::Real>($($arg: $ty),*) $(-> $ret)? $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx512<E: $crate::ops::flex::Real>($($arg: $ty),*) $(-> $ret)? {
                body::<E>($($arg),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            #[allow(clippy::too_many_arguments)]
            fn avx2<E: $crate::ops::flex::Real>($($arg: $ty),*) $(-> $ret)? {
                body::<E>($($arg),*)
            }

            match $crate::ops::flex::simd::level() {
                // SAFETY: `level` has just detected these features.
                #[cfg(target_arch = "x86_64")]
                $crate::ops::flex::simd::Level::Avx512 => unsafe { avx512::<E>($($arg),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::ops::flex::simd::Level::Avx2 => unsafe { avx2::<E>($($arg),*) },
                $crate::ops::flex::simd::Level::Baseline => body::<E>($($arg),*),
            }
        }
    };
}

pub(crate) use multiversion;
