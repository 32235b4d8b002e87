//! What is known besides the series itself, and turns "cannot tell" into an answer.

/// What the caller knows of a series. `Default` knows nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Context<'a> {
    /// A maximum that the thing itself keeps to: a heap's -Xmx, a pool's size, a cache's bound. Growth below
    /// it is the filling of something bounded.
    pub maximum: Option<f64>,
    /// A limit that ends the process when it is reached, for the ETA: `pids.max`, `memory.max`.
    pub limit: Option<f64>,
    /// The values are floors already (a heap right after a full collection): no envelope is needed, and
    /// each value counts.
    pub floor_is_exact: bool,
    /// The values of the same hours of the day before, (seconds, value) with a day added to the times.
    pub yesterday: &'a [(f64, f64)],
    /// What the process had to do (requests, connections, CPU) at its own times: growth that follows it is
    /// load.
    pub load: &'a [(f64, f64)],
    /// Restarts, deploys and marks, oldest first, with what they were.
    pub changes: &'a [(f64, &'a str)],
    /// The smallest growth that matters; by default [`super::Unit::least_growth`].
    pub least_growth: Option<f64>,
}
