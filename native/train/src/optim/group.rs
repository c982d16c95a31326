use super::Common;
use super::rule::Rule;

/// The parameters that one rule moves.
pub(crate) struct Group<'a> {
    pub rule: &'a dyn Rule,
    pub common: &'a Common,
    /// Factor of the learning rate.
    pub factor: f64,
    /// Whether its parameters stay as they are.
    pub frozen: bool,
}

impl Group<'_> {
    /// The learning rate after `iteration` iterations.
    pub fn learning_rate(&self, iteration: u64) -> f64 {
        self.common.learning_rate(self.rule.learning_rate(), iteration) * self.factor
    }

    /// What measured values make of the learning rate.
    pub fn rate_factor(&self, history: &[f64]) -> f64 {
        let schedule = self.common.schedule.as_ref();
        schedule.map_or(1.0, |schedule| schedule.rate_factor(self.rule.learning_rate(), history))
    }

    /// The bound on each element of the gradient, if any.
    pub fn clip_value(&self) -> Option<f32> {
        self.common.clip_value
    }
}
