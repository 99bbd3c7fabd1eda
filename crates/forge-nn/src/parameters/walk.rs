//! Burn's walks over a module, with names.

use std::any::Any;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

use super::ParameterPath;

/// Looks at the float tensors of a module: its parameters and its float buffers (running
/// statistics), of any rank.
pub trait ParameterVisitor {
    /// Takes one.
    ///
    /// A parameter that has not been made yet is made when its value is read: `lazy_shape` and
    /// `lazy_device` do not.
    fn visit<const D: usize>(&mut self, path: &ParameterPath, param: &Param<Tensor<D>>);
}

/// Changes the float tensors of a module: its parameters and its float buffers, of any rank.
pub trait ParameterMapper {
    /// Takes one and gives back what stands in its place. [`replace_value`](super::replace_value)
    /// changes a value and keeps everything else.
    fn map<const D: usize>(
        &mut self,
        path: &ParameterPath,
        param: Param<Tensor<D>>,
    ) -> Param<Tensor<D>>;
}

/// Shows all float tensors of `module` to `visitor`, in the order of its fields.
///
/// # Panics
/// For a tensor of more than eight axes.
pub fn visit_parameters<M: Module, V: ParameterVisitor>(module: &M, visitor: &mut V) {
    let path = ParameterPath::default();
    let with: &mut dyn AnyRankVisitor = visitor;
    module.visit(&mut Walk { path, with });
}

/// Sends all float tensors of `module` through `mapper`, in the order of its fields. Integers,
/// booleans and flags stay as they are.
///
/// # Panics
/// For a tensor of more than eight axes.
pub fn map_parameters<M: Module, P: ParameterMapper>(module: M, mapper: &mut P) -> M {
    let path = ParameterPath::default();
    let with: &mut dyn AnyRankMapper = mapper;
    module.map(&mut Walk { path, with })
}

/// A visitor or mapper of parameters on a walk of Burn's.
///
/// It holds any of them behind one type: Burn's walk is compiled anew for every pair of a module and a
/// walker, with all modules inside, and a registry of models holds hundreds.
struct Walk<W> {
    path: ParameterPath,
    with: W,
}

/// What takes tensors whose rank is known when they come.
trait AnyRankVisitor {
    /// `param` is a `&Param<Tensor<D>>`.
    fn visit_any(&mut self, path: &ParameterPath, param: &dyn Any);
}

trait AnyRankMapper {
    /// `param` is a `Param<Tensor<D>>`, and so is what comes back.
    fn map_any(&mut self, path: &ParameterPath, param: Box<dyn Any>) -> Box<dyn Any>;
}

/// `$then` for the rank that a parameter has, `$rank` of the list.
macro_rules! by_rank {
    ($param:expr, $rank:ident => $then:block) => {
        by_rank!(@ $param, $rank => $then, 1 2 3 4 5 6 7 8)
    };
    (@ $param:expr, $rank:ident => $then:block, $($d:literal)+) => {
        $(
            if $param.is::<Param<Tensor<$d>>>() {
                const $rank: usize = $d;
                return $then;
            }
        )+
    };
}

impl<V: ParameterVisitor> AnyRankVisitor for V {
    fn visit_any(&mut self, path: &ParameterPath, param: &dyn Any) {
        by_rank!(param, D => {
            if let Some(param) = param.downcast_ref::<Param<Tensor<D>>>() {
                self.visit(path, param);
            }
        });
        too_many_axes(path);
    }
}

impl<P: ParameterMapper> AnyRankMapper for P {
    fn map_any(&mut self, path: &ParameterPath, param: Box<dyn Any>) -> Box<dyn Any> {
        by_rank!(param, D => {
            match param.downcast::<Param<Tensor<D>>>() {
                Ok(param) => Box::new(self.map(path, *param)),
                Err(param) => param,
            }
        });
        too_many_axes(path);
    }
}

fn too_many_axes(path: &ParameterPath) -> ! {
    panic!("{} has more than eight axes", path.join())
}

impl ModuleVisitor for Walk<&mut dyn AnyRankVisitor> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.with.visit_any(&self.path, param);
    }
}

impl ModuleMapper for Walk<&mut dyn AnyRankMapper> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.with.map_any(&self.path, Box::new(param)).downcast() {
            Ok(param) => *param,
            // A mapper gives back the rank that it was given.
            Err(_) => unreachable!(),
        }
    }
}
