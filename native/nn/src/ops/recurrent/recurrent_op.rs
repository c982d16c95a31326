//! What every recurrent op says of itself as an op.

/// Makes an op of settings that can tell what they have in common.
macro_rules! recurrent_op {
    ($op:ident, $name:literal) => {
        impl $crate::Op for $op {
            fn name(&self) -> &'static str {
                $name
            }

            fn infer(
                &self,
                src: &[&$crate::TensorType],
            ) -> Result<Vec<$crate::TensorType>, $crate::OpError> {
                self.settings().infer(src)
            }

            fn evaluate(
                &self,
                src: &[&::tensor::Tensor],
            ) -> Result<Vec<::tensor::Tensor>, $crate::OpError> {
                self.settings().evaluate(self, src)
            }

            fn differentiate(
                &self,
                gradient: &mut $crate::Gradient<'_>,
            ) -> Result<(), $crate::Error> {
                super::gradient::differentiate(&self.settings(), gradient)
            }

            fn compile(&self, compiler: &mut $crate::Compiler<'_>) -> Result<(), $crate::Error> {
                self.settings().compile(compiler)
            }

            fn compiles(&self, src: &[::tensor::DType]) -> bool {
                self.settings().compiles(src)
            }

            fn cost(&self, src: &[::tensor::Shape], dst: &[::tensor::Shape]) -> $crate::op::Cost {
                super::settings::cost(src, dst, &[1, 2])
            }
        }
    };
}
pub(super) use recurrent_op;
