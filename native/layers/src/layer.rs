//! What a layer is, and the macro that defines one.

use crate::argument::{Arguments, Kind};
use crate::{Error, Misfit, Result};
use nn::{Graph, Initializer, Mode, ParameterKind, ValueId};
use serde_json::{Map, Value};
use std::fmt::Debug;
use tensor::Shape;

/// A layer: its settings, what it makes of its inputs, and the ops it stands for.
///
/// All shapes are per sample: without the batch, channels first.
pub trait Layer: Described + Debug + Send + Sync {
    /// Shape of the output for inputs of these shapes (at least one).
    ///
    /// Fails if the inputs and the settings do not go together.
    fn output_shape(&self, src: &[Shape]) -> Result<Shape, Misfit>;

    /// The parameters, in the order in which they lie in the flat vector; `src` is one for which
    /// [`Layer::output_shape`] succeeded.
    fn weights(&self, src: &[Shape]) -> Vec<Weight> {
        let _ = src;
        Vec::new()
    }

    /// Adds the ops of the layer to a graph and returns their result.
    fn build(&self, scope: &mut Scope, src: &[ValueId]) -> Result<ValueId, nn::Error>;
}

/// The settings of a layer, as data; written by [`layer!`](crate::layer).
pub trait Described {
    /// Name of the class.
    fn class(&self) -> &'static str;
    /// The arguments as JSON, with their values.
    fn config(&self) -> Map<String, Value>;
}

/// A class of layers; written by [`layer!`](crate::layer).
pub trait LayerClass: Layer + Sized + 'static {
    /// Name of the class.
    const CLASS: &'static str;
    /// Its doc comment, line by line.
    const DOC: &'static [&'static str];
    /// Its arguments; those without a default come first.
    fn fields() -> Vec<Field>;
    /// The layer with these arguments.
    fn read(arguments: &Arguments) -> Result<Self>;
}

/// An argument of a class of layers.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Name, in snake case.
    pub name: &'static str,
    /// Its doc comment, line by line.
    pub doc: &'static [&'static str],
    /// Type.
    pub kind: Kind,
    /// Default as JSON; `None` if the argument must be given.
    pub default: Option<Value>,
}

/// A parameter of a layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Weight {
    /// Name within the layer, such as `weight`.
    pub name: &'static str,
    /// Shape.
    pub shape: Shape,
    /// Whether the optimizer changes it.
    pub kind: ParameterKind,
    /// Distribution of the initial values.
    pub initializer: Initializer,
}

/// The graph as seen by one layer: ops and parameters carry the layer's name.
pub struct Scope<'a> {
    graph: &'a mut Graph,
    layer: &'a str,
    mode: Mode,
}

impl<'a> Scope<'a> {
    /// The view of `graph` that the layer named `layer` gets.
    pub(crate) fn new(graph: &'a mut Graph, layer: &'a str, mode: Mode) -> Self {
        Self { graph, layer, mode }
    }

    /// Whether the graph is for training.
    pub fn training(&self) -> bool {
        self.mode == Mode::Training
    }

    /// Name of the layer.
    pub fn layer(&self) -> &str {
        self.layer
    }

    /// Shape of a value, the batch included.
    pub fn shape(&self, value: ValueId) -> Shape {
        self.graph.shape(value).clone()
    }

    /// The layer's parameter of this name.
    pub fn parameter(&mut self, name: &str) -> Result<ValueId, nn::Error> {
        self.graph.parameter(&format!("{}.{name}", self.layer))
    }

    /// A value that is the same in each run.
    pub fn constant(&mut self, tensor: tensor::Tensor) -> ValueId {
        self.graph.constant(tensor)
    }

    /// Adds an op with one result.
    pub fn add(&mut self, op: impl nn::Op, src: &[ValueId]) -> Result<ValueId, nn::Error> {
        Ok(self.add_all(op, src)?[0])
    }

    /// Adds an op with any number of results.
    pub fn add_all(&mut self, op: impl nn::Op, src: &[ValueId]) -> Result<Vec<ValueId>, nn::Error> {
        self.graph.add(self.layer, op, src)
    }

    /// Makes `value` the new content of the statistic `parameter`.
    pub fn update(&mut self, parameter: ValueId, value: ValueId) {
        self.graph.update(parameter, value);
    }
}

/// The only input of a layer.
pub(crate) fn single(src: &[Shape]) -> Result<&Shape, Misfit> {
    match src {
        [shape] => Ok(shape),
        _ => Err(Misfit::new(
            format!("expected one input, got {}", src.len()),
            "Join them first with Add, Multiply or Concatenate.",
        )),
    }
}

/// The inputs of a layer that joins several.
pub(crate) fn several(src: &[Shape]) -> Result<&[Shape], Misfit> {
    if src.len() >= 2 {
        return Ok(src);
    }
    Err(Misfit::new(
        format!("expected at least two inputs, got {}", src.len()),
        "Name every input it is to join.",
    ))
}

/// The common shape of inputs that are joined element by element.
pub(crate) fn broadcast(src: &[Shape]) -> Result<Shape, Misfit> {
    let src = several(src)?;
    src[1..].iter().try_fold(src[0].clone(), |common, next| {
        let fits = (common.rank() == next.rank()).then(|| Shape::broadcast(&common, next).ok());
        fits.flatten().ok_or_else(|| {
            Misfit::new(
                format!("inputs {common} and {next} have no common shape"),
                "Give them equal shapes, or sizes of 1 where one is to be repeated.",
            )
        })
    })
}

/// Index into the dimensions of a sample of an axis that is counted with the batch as axis 0, or
/// from the end if negative.
pub(crate) fn axis(axis: i64, sample: &Shape) -> Result<usize, Misfit> {
    let rank = sample.rank() as i64 + 1;
    let index = if axis < 0 { axis + rank } else { axis };
    if (1..rank).contains(&index) {
        return Ok(index as usize - 1);
    }
    Err(Misfit::new(
        format!("axis {axis} is not one of the {} axes of a sample", rank - 1),
        "Axis 1 is the first one after the batch, -1 the last.",
    ))
}

/// Defines a class of layers once: the struct, its JSON form and its entry in the catalogue.
///
/// Arguments without a default come first, in parentheses; they are the arguments of `new`.
macro_rules! layer {
    (
        $(#[doc = $doc:literal])*
        $class:ident (
            $($(#[doc = $required_doc:literal])* $required:ident: $required_type:ty,)*
        ) {
            $($(#[doc = $optional_doc:literal])* $optional:ident: $type:ty = $default:expr,)*
        }
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $class {
            $($(#[doc = $required_doc])* pub $required: $required_type,)*
            $($(#[doc = $optional_doc])* pub $optional: $type,)*
        }

        impl $class {
            /// The layer with these arguments and the defaults of the others.
            #[allow(clippy::new_without_default)]
            pub fn new($($required: $required_type),*) -> Self {
                Self { $($required,)* $($optional: $default,)* }
            }
        }

        impl $crate::layer::Described for $class {
            fn class(&self) -> &'static str {
                stringify!($class)
            }

            fn config(&self) -> serde_json::Map<String, serde_json::Value> {
                #[allow(unused_mut)]
                let mut config = serde_json::Map::new();
                $(config.insert(
                    stringify!($required).into(),
                    $crate::argument::Argument::write(&self.$required),
                );)*
                $(config.insert(
                    stringify!($optional).into(),
                    $crate::argument::Argument::write(&self.$optional),
                );)*
                config
            }
        }

        impl $crate::layer::LayerClass for $class {
            const CLASS: &'static str = stringify!($class);
            const DOC: &'static [&'static str] = &[$($doc),*];

            fn fields() -> Vec<$crate::layer::Field> {
                vec![
                    $($crate::layer::Field {
                        name: stringify!($required),
                        doc: &[$($required_doc),*],
                        kind: <$required_type as $crate::argument::Argument>::KIND,
                        default: None,
                    },)*
                    $($crate::layer::Field {
                        name: stringify!($optional),
                        doc: &[$($optional_doc),*],
                        kind: <$type as $crate::argument::Argument>::KIND,
                        default: Some($crate::argument::Argument::write(&{
                            let default: $type = $default;
                            default
                        })),
                    },)*
                ]
            }

            #[allow(unused_variables)]
            fn read(arguments: &$crate::argument::Arguments) -> $crate::Result<Self> {
                Ok(Self {
                    $($required: arguments.required(stringify!($required))?,)*
                    $($optional: arguments.optional(stringify!($optional), $default)?,)*
                })
            }
        }
    };
}
pub(crate) use layer;

/// Reads a layer of the class `L` from the arguments of a definition.
pub(crate) fn read<L: LayerClass>(
    layer: &str,
    config: &Map<String, Value>,
) -> Result<Box<dyn Layer>, Error> {
    let fields = L::fields();
    let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
    Ok(Box::new(L::read(&Arguments::new(L::CLASS, layer, config, &known)?)?))
}
