//! The norm of the inner model row by row, and the gradients of its loss.

use crate::ops::flex::Real;
use crate::ops::flex::row::reduce;
use crate::ops::ttt::inner::EPSILON;

/// Scale and shift of a head.
#[derive(Clone, Copy)]
pub(super) struct Norm<'a, E> {
    pub(super) weight: &'a [E],
    pub(super) bias: &'a [E],
}

/// Where the gradients of both are added up.
pub(super) struct NormGradients<'a, E> {
    pub(super) weight: &'a mut [E],
    pub(super) bias: &'a mut [E],
}

#[inline(always)]
fn mean<E: Real>(x: &[E]) -> E {
    reduce(x, x, |x, _| x) * E::of(1.0 / x.len() as f64)
}

#[inline(always)]
fn mean_product<E: Real>(x: &[E], y: &[E]) -> E {
    reduce(x, y, |x, y| x * y) * E::of(1.0 / x.len() as f64)
}

/// `normal = (z - mean) / root`; one over the root `√(var + ε)`.
#[inline(always)]
fn normalise<E: Real>(z: &[E], normal: &mut [E]) -> E {
    let level = mean(z);
    for (normal, &z) in normal.iter_mut().zip(z) {
        *normal = z - level;
    }
    let variance = mean_product(normal, normal);
    let inverse = E::ONE / (variance + E::of(EPSILON)).sqrt();
    normal.iter_mut().for_each(|normal| *normal *= inverse);
    inverse
}

/// `(x - mean - normal · mean(x · normal)) · factor`: what a norm lets through.
#[inline(always)]
fn across<E: Real>(x: &mut [E], normal: &[E], factor: E) {
    let (level, along) = (mean(x), mean_product(x, normal));
    for (x, &normal) in x.iter_mut().zip(normal) {
        *x = (*x - level - normal * along) * factor;
    }
}

impl<E: Real> Norm<'_, E> {
    fn width(self) -> usize {
        self.weight.len()
    }

    /// `out = norm(z) + q`.
    #[inline(always)]
    pub(super) fn answer(self, z: &[E], q: &[E], out: &mut [E]) {
        let w = self.width();
        let rows = z.chunks_exact(w).zip(q.chunks_exact(w));
        for ((z, q), out) in rows.zip(out.chunks_exact_mut(w)) {
            normalise(z, out);
            for i in 0..w {
                out[i] = out[i] * self.weight[i] + self.bias[i] + q[i];
            }
        }
    }

    /// `dz` of `norm(z)`.
    #[inline(always)]
    pub(super) fn backward(self, z: &[E], dy: &[E], dz: &mut [E], sums: &mut NormGradients<'_, E>) {
        let w = self.width();
        let mut normal = vec![E::ZERO; w];
        let rows = z.chunks_exact(w).zip(dy.chunks_exact(w));
        for ((z, dy), dz) in rows.zip(dz.chunks_exact_mut(w)) {
            let inverse = normalise(z, &mut normal);
            for i in 0..w {
                sums.weight[i] += dy[i] * normal[i];
                sums.bias[i] += dy[i];
                dz[i] = dy[i] * self.weight[i];
            }
            across(dz, &normal, inverse);
        }
    }

    /// The gradient of `½ ‖norm(z) - (v - k)‖²`.
    #[inline(always)]
    pub(super) fn lesson(self, z: &[E], k: &[E], v: &[E], gradient: &mut [E]) {
        let w = self.width();
        let mut normal = vec![E::ZERO; w];
        let rows = z
            .chunks_exact(w)
            .zip(k.chunks_exact(w).zip(v.chunks_exact(w)));
        for ((z, (k, v)), gradient) in rows.zip(gradient.chunks_exact_mut(w)) {
            let inverse = normalise(z, &mut normal);
            for i in 0..w {
                let error = normal[i] * self.weight[i] + self.bias[i] - (v[i] - k[i]);
                gradient[i] = error * self.weight[i];
            }
            across(gradient, &normal, inverse);
        }
    }

    /// The gradients of `z` and of the target `v - k` behind [`lesson`](Self::lesson), whose result and its
    /// gradient come in.
    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    pub(super) fn lesson_backward(
        self,
        z: &[E],
        k: &[E],
        v: &[E],
        gradient: &[E],
        dgradient: &[E],
        dz: &mut [E],
        dtarget: &mut [E],
        sums: &mut NormGradients<'_, E>,
    ) {
        let w = self.width();
        let (weight, scale) = (self.weight, E::of(1.0 / w as f64));
        let [mut normal, mut weighted, mut d, mut dweighted] = [(); 4].map(|()| vec![E::ZERO; w]);
        for start in (0..z.len()).step_by(w) {
            let row = start..start + w;
            let (k, v) = (&k[row.clone()], &v[row.clone()]);
            let (dz, dtarget) = (&mut dz[row.clone()], &mut dtarget[row.clone()]);
            let inverse = normalise(&z[row.clone()], &mut normal);
            let (gradient, dgradient) = (&gradient[row.clone()], &dgradient[row]);
            let droot = -(reduce(gradient, dgradient, |x, y| x * y) * inverse);
            for i in 0..w {
                let error = normal[i] * weight[i] + self.bias[i] - (v[i] - k[i]);
                weighted[i] = error * weight[i];
                d[i] = dgradient[i] * inverse;
            }
            let (along, dalong) = (mean_product(&weighted, &normal), mean_product(&d, &normal));
            dweighted.copy_from_slice(&d);
            across(&mut dweighted, &normal, E::ONE);
            for i in 0..w {
                let error = normal[i] * weight[i] + self.bias[i] - (v[i] - k[i]);
                let derror = dweighted[i] * weight[i];
                sums.weight[i] += dweighted[i] * error + derror * normal[i];
                sums.bias[i] += derror;
                dtarget[i] = -derror;
                dz[i] = derror * weight[i] - d[i] * along - weighted[i] * dalong;
            }
            across(dz, &normal, inverse);
            for i in 0..w {
                dz[i] += normal[i] * droot * scale;
            }
        }
    }
}
