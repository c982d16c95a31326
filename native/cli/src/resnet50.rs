//! ResNet-50, layer by layer.

use layers::{
    Add, BatchNormalization, Conv2D, Definition, Dense, GlobalAveragePooling2D, MaxPooling2D,
    Padding, ReLU,
};

/// ResNet-50 for 224×224 images and 1000 classes, with the stride on the 3×3 convolutions as in
/// torchvision, and its names.
pub fn definition() -> Definition {
    let mut net = Net(Definition::new("resnet50").input("input", &[3, 224, 224]));
    net.conv("conv1", "bn1", "input", 64, 7, 2);
    net.relu("relu", "bn1");
    let pool = MaxPooling2D { pool_size: [3, 3], strides: Some([2, 2]), padding: Padding::all(1) };
    net.layer("maxpool", pool, &["relu"]);
    let mut src = "maxpool".to_owned();
    for (stage, (channels, blocks)) in
        [(64, 3), (128, 4), (256, 6), (512, 3)].into_iter().enumerate()
    {
        for block in 0..blocks {
            let stride = if block == 0 && stage > 0 { 2 } else { 1 };
            let name = format!("layer{}.{block}", stage + 1);
            src = net.bottleneck(&name, &src, channels, stride, block == 0);
        }
    }
    net.layer("avgpool", GlobalAveragePooling2D::new(), &[&src]);
    net.layer("fc", Dense::new(1000), &["avgpool"]);
    net.0.output("fc")
}

struct Net(Definition);

impl Net {
    fn layer(&mut self, name: &str, layer: impl layers::Layer, inputs: &[&str]) {
        let definition = std::mem::replace(&mut self.0, Definition::new(""));
        self.0 = definition.layer(name, layer, inputs);
    }

    /// Convolution without bias, padded to keep the size at stride 1, and batch normalisation.
    fn conv(
        &mut self,
        name: &str,
        bn: &str,
        src: &str,
        filters: usize,
        kernel: usize,
        stride: usize,
    ) {
        let conv = Conv2D {
            strides: [stride, stride],
            padding: Padding::all(kernel / 2),
            use_bias: false,
            ..Conv2D::new(filters, [kernel, kernel])
        };
        self.layer(name, conv, &[src]);
        let normalization =
            BatchNormalization { momentum: 0.9, epsilon: 1e-5, ..BatchNormalization::new() };
        self.layer(bn, normalization, &[name]);
    }

    fn relu(&mut self, name: &str, src: &str) {
        self.layer(name, ReLU::new(), &[src]);
    }

    /// 1×1, 3×3 and 1×1 convolutions beside a shortcut; returns the name of the result.
    fn bottleneck(
        &mut self,
        name: &str,
        src: &str,
        channels: usize,
        stride: usize,
        project: bool,
    ) -> String {
        let part = |part: &str| format!("{name}.{part}");
        let (bn1, relu1, bn2, relu2) = (part("bn1"), part("relu1"), part("bn2"), part("relu2"));
        self.conv(&part("conv1"), &bn1, src, channels, 1, 1);
        self.relu(&relu1, &bn1);
        self.conv(&part("conv2"), &bn2, &relu1, channels, 3, stride);
        self.relu(&relu2, &bn2);
        self.conv(&part("conv3"), &part("bn3"), &relu2, 4 * channels, 1, 1);
        let shortcut = if project { part("downsample.1") } else { src.to_owned() };
        if project {
            self.conv(&part("downsample.0"), &shortcut, src, 4 * channels, 1, stride);
        }
        self.layer(&part("add"), Add::new(), &[&part("bn3"), &shortcut]);
        self.relu(&part("relu3"), &part("add"));
        part("relu3")
    }
}
