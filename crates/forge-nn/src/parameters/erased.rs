//! Visitors and mappers of Burn's behind one type.
//!
//! Burn's walk over a module is compiled anew for every pair of a module and a visitor, with all
//! modules inside. A registry of models holds hundreds of modules, and a run walks with dozens of
//! visitors, in every crate above: that was a third of what the compiler had to do.

use std::any::Any;

use burn::module::{Flag, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Bool, Int, Tensor};

/// Any [`ModuleVisitor`], without its type. [`Erased`] makes it one again.
///
/// It is implemented for all of them.
pub trait AnyVisitor {
    /// A `Param<Tensor<D>>`.
    fn any_float(&mut self, param: &dyn Any);
    /// A `Param<Tensor<D, Int>>`.
    fn any_int(&mut self, param: &dyn Any);
    /// A `Param<Tensor<D, Bool>>`.
    fn any_bool(&mut self, param: &dyn Any);
    /// [`ModuleVisitor::visit_flag`].
    fn any_flag(&mut self, flag: &Param<Flag>);
    /// [`ModuleVisitor::enter_module`].
    fn enter(&mut self, name: &str, container: &str);
    /// [`ModuleVisitor::exit_module`].
    fn exit(&mut self, name: &str, container: &str);
}

/// Any [`ModuleMapper`], without its type. [`Erased`] makes it one again.
///
/// It is implemented for all of them. What comes back has the type of what was given.
pub trait AnyMapper {
    /// A `Param<Tensor<D>>`.
    fn any_float(&mut self, param: Box<dyn Any>) -> Box<dyn Any>;
    /// A `Param<Tensor<D, Int>>`.
    fn any_int(&mut self, param: Box<dyn Any>) -> Box<dyn Any>;
    /// A `Param<Tensor<D, Bool>>`.
    fn any_bool(&mut self, param: Box<dyn Any>) -> Box<dyn Any>;
    /// [`ModuleMapper::map_flag`].
    fn any_flag(&mut self, flag: Param<Flag>) -> Param<Flag>;
    /// [`ModuleMapper::enter_module`].
    fn enter(&mut self, name: &str, container: &str);
    /// [`ModuleMapper::exit_module`].
    fn exit(&mut self, name: &str, container: &str);
}

/// The visitor or mapper that any of them is seen as: a module that is only walked with these is
/// compiled once for each.
///
/// A module that has many others inside gives the walk on from functions that are not generic:
///
/// ```
/// use forge_nn::burn::module::{Module, ModuleVisitor, Param};
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::parameters::{AnyVisitor, Erased};
///
/// struct Count(usize);
/// impl ModuleVisitor for Count {
///     fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
///         self.0 += param.val().shape().num_elements();
///     }
/// }
///
/// fn walk(module: &impl Module, visitor: &mut dyn AnyVisitor) {
///     module.visit(&mut Erased(visitor));
/// }
/// let mut count = Count(0);
/// let two: Param<Tensor<1>> = Param::from_data([1.0, 2.0], &Device::flex());
/// walk(&two, &mut count);
/// assert_eq!(count.0, 2);
/// ```
///
/// # Panics
/// Its walk, for a tensor of more than eight axes.
#[allow(
    missing_debug_implementations,
    reason = "it holds visitors, which have none"
)]
pub struct Erased<W>(
    /// `&mut dyn AnyVisitor` or `&mut dyn AnyMapper`.
    pub W,
);

/// `$then` for the rank that a parameter has, `$rank` of the list; `$of` is its type for a rank.
macro_rules! by_rank {
    ($param:expr, $of:ident, $rank:ident => $then:expr) => {
        by_rank!(@ $param, $of, $rank => $then, 1 2 3 4 5 6 7 8)
    };
    (@ $param:expr, $of:ident, $rank:ident => $then:expr, $($d:literal)+) => {
        $(
            if $param.is::<$of<$d>>() {
                const $rank: usize = $d;
                return $then;
            }
        )+
    };
}

macro_rules! visit_any {
    ($any:ident, $visit:ident $(, $kind:ident)?) => {
        fn $any(&mut self, param: &dyn Any) {
            type Of<const D: usize> = Param<Tensor<D $(, $kind)?>>;
            by_rank!(param, Of, D => {
                if let Some(param) = param.downcast_ref::<Of<D>>() {
                    self.$visit(param);
                }
            });
            too_many_axes();
        }
    };
}

macro_rules! map_any {
    ($any:ident, $map:ident $(, $kind:ident)?) => {
        fn $any(&mut self, param: Box<dyn Any>) -> Box<dyn Any> {
            type Of<const D: usize> = Param<Tensor<D $(, $kind)?>>;
            by_rank!(param, Of, D => {
                match param.downcast::<Of<D>>() {
                    Ok(param) => Box::new(self.$map(*param)),
                    Err(param) => param,
                }
            });
            too_many_axes();
        }
    };
}

fn too_many_axes() -> ! {
    panic!("a module has a tensor of more than eight axes")
}

impl<V: ModuleVisitor> AnyVisitor for V {
    visit_any!(any_float, visit_float);
    visit_any!(any_int, visit_int, Int);
    visit_any!(any_bool, visit_bool, Bool);

    fn any_flag(&mut self, flag: &Param<Flag>) {
        self.visit_flag(flag);
    }

    fn enter(&mut self, name: &str, container: &str) {
        self.enter_module(name, container);
    }

    fn exit(&mut self, name: &str, container: &str) {
        self.exit_module(name, container);
    }
}

impl<M: ModuleMapper> AnyMapper for M {
    map_any!(any_float, map_float);
    map_any!(any_int, map_int, Int);
    map_any!(any_bool, map_bool, Bool);

    fn any_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        self.map_flag(flag)
    }

    fn enter(&mut self, name: &str, container: &str) {
        self.enter_module(name, container);
    }

    fn exit(&mut self, name: &str, container: &str) {
        self.exit_module(name, container);
    }
}

impl ModuleVisitor for Erased<&mut (dyn AnyVisitor + '_)> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.0.any_float(param);
    }

    fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
        self.0.any_int(param);
    }

    fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
        self.0.any_bool(param);
    }

    fn visit_flag(&mut self, flag: &Param<Flag>) {
        self.0.any_flag(flag);
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.0.enter(name, container);
    }

    fn exit_module(&mut self, name: &str, container: &str) {
        self.0.exit(name, container);
    }
}

impl ModuleMapper for Erased<&mut (dyn AnyMapper + '_)> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        unboxed(self.0.any_float(Box::new(param)))
    }

    fn map_int<const D: usize>(&mut self, param: Param<Tensor<D, Int>>) -> Param<Tensor<D, Int>> {
        unboxed(self.0.any_int(Box::new(param)))
    }

    fn map_bool<const D: usize>(
        &mut self,
        param: Param<Tensor<D, Bool>>,
    ) -> Param<Tensor<D, Bool>> {
        unboxed(self.0.any_bool(Box::new(param)))
    }

    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        self.0.any_flag(flag)
    }

    fn enter_module(&mut self, name: &str, container: &str) {
        self.0.enter(name, container);
    }

    fn exit_module(&mut self, name: &str, container: &str) {
        self.0.exit(name, container);
    }
}

fn unboxed<T: 'static>(param: Box<dyn Any>) -> T {
    match param.downcast() {
        Ok(param) => *param,
        // A mapper gives back the kind and rank that it was given.
        Err(_) => unreachable!(),
    }
}
