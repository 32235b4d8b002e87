//! Random numbers for the generated series: the same seed gives the same series on every machine, which is why
//! they are made here (xoshiro256++, Blackman and Vigna 2019) and not by a crate that may change its streams.

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(super) struct Random {
    state: [u64; 4],
    spare: Option<f64>,
}

impl Random {
    /// The stream of these seeds.
    pub(super) fn new(seeds: &[u64]) -> Self {
        let mut mixed = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = |salt: u64| {
            mixed = mixed.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_add(salt);
            let mut z = mixed;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^= z >> 31;
            mixed = z;
            z
        };
        for &seed in seeds {
            next(seed);
        }
        Self { state: [next(1), next(2), next(3), next(4)], spare: None }
    }

    fn next(&mut self) -> u64 {
        let s = &mut self.state;
        let result = s[0].wrapping_add(s[3]).rotate_left(23).wrapping_add(s[0]);
        let t = s[1] << 17;
        s[2] ^= s[0];
        s[3] ^= s[1];
        s[1] ^= s[2];
        s[0] ^= s[3];
        s[2] ^= t;
        s[3] = s[3].rotate_left(45);
        result
    }

    /// 0 ≤ x < 1.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// low ≤ x < high.
    pub(super) fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Evenly spread logarithm.
    pub(super) fn log_uniform(&mut self, low: f64, high: f64) -> f64 {
        self.uniform(low.ln(), high.ln()).exp()
    }

    /// A whole number, low ≤ k < high.
    pub(super) fn whole(&mut self, low: i64, high: i64) -> i64 {
        low + (self.unit() * (high - low) as f64) as i64
    }

    /// True with this probability.
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// Mean 0, standard deviation 1 (Marsaglia's polar method).
    pub(super) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (a, b) = (self.uniform(-1.0, 1.0), self.uniform(-1.0, 1.0));
            let square = a * a + b * b;
            if square > 0.0 && square < 1.0 {
                let scale = (-2.0 * square.ln() / square).sqrt();
                self.spare = Some(b * scale);
                return a * scale;
            }
        }
    }

    /// Exponential of this mean.
    pub(super) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// Poisson: products of uniforms, in portions that stay far from underflow.
    pub(super) fn poisson(&mut self, mean: f64) -> f64 {
        let (mut left, mut count) = (mean, 0.0);
        while left > 0.0 {
            let part = left.min(30.0);
            let floor = (-part).exp();
            let mut product = self.unit();
            while product > floor {
                product *= self.unit();
                count += 1.0;
            }
            left -= part;
        }
        count
    }

    /// How many of `count` come to pass.
    pub(super) fn binomial(&mut self, count: f64, probability: f64) -> f64 {
        (0..count as u64).filter(|_| self.chance(probability)).count() as f64
    }
}
