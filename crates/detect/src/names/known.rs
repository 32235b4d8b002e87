//! Default names that runtimes and libraries give their threads. They complete names that the kernel cut off
//! when no sibling is there to do it, and say what a number means where the name alone does not.

use model::PoolShape;

use super::token::NUMBER;

/// A default name.
#[derive(Debug)]
pub(super) struct Known {
    /// Its pattern, `*` for each number.
    pub(super) pattern: &'static str,
    /// The shortest cut (numbers counted as one character) that is still telling.
    pub(super) least: usize,
    /// Whose default it is.
    pub(super) owner: &'static str,
    /// What kind of pool it is, where that does not follow from which number varies.
    pub(super) shape: Option<PoolShape>,
}

impl Known {
    /// Is this the skeleton of the pattern?
    pub(super) fn is(&self, skeleton: &[u8]) -> bool {
        self.pattern.len() == skeleton.len()
            && self.pattern.bytes().zip(skeleton).all(|(a, &b)| a == b || (a == b'*' && b == NUMBER))
    }

    /// The pattern as a skeleton.
    pub(super) fn skeleton(&self) -> Vec<u8> {
        self.pattern.bytes().map(|b| if b == b'*' { NUMBER } else { b }).collect()
    }
}

const fn known(pattern: &'static str, least: usize, owner: &'static str) -> Known {
    Known { pattern, least, owner, shape: None }
}

const fn shaped(pattern: &'static str, least: usize, owner: &'static str, shape: PoolShape) -> Known {
    Known { pattern, least, owner, shape: Some(shape) }
}

/// The beginning of CPython's default name, `Thread-7 (target)`, from 3.14 on: what follows is the function's
/// name, so the cuts of one name are told by their common beginning.
pub(super) const OPEN_BEGINNING: &[u8] = b"Thread-\xff (";

/// Every default name known here. Where two share a beginning both must be listed, so that a cut which fits
/// both stays as it is.
pub(super) static KNOWN: &[Known] = &[
    // java.util.concurrent.Executors.DefaultThreadFactory
    known("pool-*-thread-*", 8, "Java's default name"),
    // java.lang.Thread: says nothing about pools.
    shaped("Thread-*", 8, "Java's default name", PoolShape::Unknown),
    // java.util.Timer: each has a thread of its own.
    shaped("Timer-*", 7, "java.util.Timer's name", PoolShape::OneThreadPools),
    known("ForkJoinPool-*-worker-*", 14, "Java's default name"),
    known("ForkJoinPool.commonPool-worker-*", 15, "Java's default name"),
    known("HttpClient-*-Worker-*", 14, "the JDK HTTP client's name"),
    shaped("HttpClient-*-SelectorManager", 14, "the JDK HTTP client's name", PoolShape::Unknown),
    shaped("RMI TCP Connection(*)", 15, "Java RMI's name", PoolShape::Unknown),
    // Tomcat
    known("http-nio-*-exec-*", 12, "Tomcat's name"),
    known("http-nio*-*-exec-*", 12, "Tomcat's name"),
    known("http-bio-*-exec-*", 12, "Tomcat's name"),
    known("http-apr-*-exec-*", 12, "Tomcat's name"),
    // Not https-jsse-nio-8443-exec-1: acceptor and poller have the same first 15 bytes.
    known("ajp-nio-*-exec-*", 11, "Tomcat's name"),
    known("ajp-bio-*-exec-*", 11, "Tomcat's name"),
    // Netty, Reactor
    shaped("nioEventLoopGroup-*-*", 15, "Netty's name", PoolShape::Unknown),
    shaped("epollEventLoopGroup-*-*", 15, "Netty's name", PoolShape::Unknown),
    known("reactor-http-epoll-*", 15, "Reactor Netty's name"),
    known("reactor-http-nio-*", 15, "Reactor Netty's name"),
    // Spring
    shaped("SimpleAsyncTaskExecutor-*", 15, "Spring's name", PoolShape::Unknown),
    known("ThreadPoolTaskExecutor-*", 15, "Spring's name"),
    known("ThreadPoolTaskScheduler-*", 15, "Spring's name"),
    // HikariCP, a pool of connections
    shaped("HikariPool-* housekeeper", 14, "HikariCP's name", PoolShape::Unknown),
    shaped("HikariPool-* connection adder", 14, "HikariCP's name", PoolShape::Unknown),
    shaped("HikariPool-* connection closer", 14, "HikariCP's name", PoolShape::Unknown),
    shaped("HikariPool-*:housekeeper", 14, "HikariCP's name", PoolShape::Unknown),
    shaped("HikariPool-*:connection-adder", 14, "HikariCP's name", PoolShape::Unknown),
    shaped("HikariPool-*:connection-closer", 14, "HikariCP's name", PoolShape::Unknown),
    // Others, each of them the same for all its threads
    known("kafka-producer-network-thread", 15, "the Kafka client's name"),
    known("tokio-runtime-worker", 15, "tokio's default name"),
    known("ThreadPoolForegroundWorker", 15, "Chromium's name"),
    known("CompositorTileWorker*", 15, "Chromium's name"),
    // concurrent.futures, where CPython (3.14 on) tells the kernel its names
    shaped("ThreadPoolExecutor-*_*", 15, "CPython's default name", PoolShape::Unknown),
];
