//! The enum over all models of a family, as a module.

/// An enum over modules that is a module itself, as `derive(Module)` makes it, but for what is generic:
/// [`visit` and `map`](burn::module::Module::visit) hand the walk on to functions that are not, so
/// that the crates above do not compile all models anew for each visitor of theirs.
macro_rules! module_enum {
    (
        $(#[$doc:meta])* $enum:ident;
        $($name:literal => $model:ident;)+
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        #[allow(clippy::large_enum_variant)]
        pub enum $enum {
            $(
                #[doc = concat!("`", $name, "`.")]
                $model($model),
            )+
        }

        impl $enum {
            #[inline(never)]
            fn walk(&self, visitor: &mut dyn forge_nn::parameters::AnyVisitor) {
                let container = concat!("Enum:", stringify!($enum));
                match self {
                    $(Self::$model(module) => {
                        visitor.enter(stringify!($model), container);
                        burn::module::Module::visit(
                            module,
                            &mut forge_nn::parameters::Erased(&mut *visitor),
                        );
                        visitor.exit(stringify!($model), container);
                    })+
                }
            }

            #[inline(never)]
            fn mapped(self, mapper: &mut dyn forge_nn::parameters::AnyMapper) -> Self {
                let container = concat!("Enum:", stringify!($enum));
                match self {
                    $(Self::$model(module) => {
                        mapper.enter(stringify!($model), container);
                        let module = burn::module::Module::map(
                            module,
                            &mut forge_nn::parameters::Erased(&mut *mapper),
                        );
                        mapper.exit(stringify!($model), container);
                        Self::$model(module)
                    })+
                }
            }
        }

        impl burn::module::Module for $enum {
            fn num_params(&self) -> usize {
                match self { $(Self::$model(module) => burn::module::Module::num_params(module),)+ }
            }

            fn visit<V: burn::module::ModuleVisitor>(&self, visitor: &mut V) {
                self.walk(visitor);
            }

            fn map<M: burn::module::ModuleMapper>(self, mapper: &mut M) -> Self {
                self.mapped(mapper)
            }

            fn collect_devices(&self, devices: burn::module::Devices) -> burn::module::Devices {
                match self {
                    $(Self::$model(module) => {
                        burn::module::Module::collect_devices(module, devices)
                    })+
                }
            }

            fn to_device(self, device: &burn::tensor::Device) -> Self {
                match self {
                    $(Self::$model(module) => {
                        Self::$model(burn::module::Module::to_device(module, device))
                    })+
                }
            }

            fn fork(self, device: &burn::tensor::Device) -> Self {
                match self {
                    $(Self::$model(module) => {
                        Self::$model(burn::module::Module::fork(module, device))
                    })+
                }
            }

            fn valid(&self) -> Self {
                match self {
                    $(Self::$model(module) => Self::$model(burn::module::Module::valid(module)),)+
                }
            }

            fn train(self) -> Self {
                match self {
                    $(Self::$model(module) => Self::$model(burn::module::Module::train(module)),)+
                }
            }

            fn materialize(self) -> Self {
                match self {
                    $(Self::$model(module) => {
                        Self::$model(burn::module::Module::materialize(module))
                    })+
                }
            }
        }

        impl std::fmt::Display for $enum {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let text = burn::module::ModuleDisplay::format(self, Default::default());
                f.write_str(&text)
            }
        }

        impl burn::module::ModuleDisplayDefault for $enum {
            fn content(&self, content: burn::module::Content) -> Option<burn::module::Content> {
                match self {
                    $(Self::$model(module) => content
                        .set_top_level_type(&stringify!($model))
                        .add("_0", module)
                        .optional(),)+
                }
            }

            fn num_params(&self) -> usize {
                burn::module::Module::num_params(self)
            }
        }

        impl burn::module::ModuleDisplay for $enum {}
    };
}

pub(crate) use module_enum;
