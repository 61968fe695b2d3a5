//! Rayon's loops and joins; see peers.h.
//!
//! A parallel iterator over items would call the part through its pointer for each of them. So
//! this is one over ranges: Rayon cuts it as it cuts `(0..count).into_par_iter()`, by the same
//! code, and what it does not cut further is one call.

use rayon::iter::plumbing::{bridge_producer_consumer, Consumer, Folder, Producer, Reducer};
use rayon::slice::ParallelSliceMut;
use rayon::{Scope, ThreadPool, ThreadPoolBuilder};
use std::ops::Range;
use std::os::raw::{c_uint, c_void};

type Part = extern "C" fn(begin: usize, end: usize, ctx: *mut c_void);
type Task = extern "C" fn(ctx: *mut c_void);
type Spawner = extern "C" fn(scope: *const Scope<'_>, ctx: *mut c_void);

/// Who waits for a join runs what it steals meanwhile on top: recursions get deep.
const STACK_BYTES: usize = 64 << 20;

/// struct bench_peer
#[repr(C)]
pub struct Peer {
    create: extern "C" fn(c_uint) -> *mut ThreadPool,
    destroy: unsafe extern "C" fn(*mut ThreadPool),
    run: unsafe extern "C" fn(*mut ThreadPool, usize, usize, Part, *mut c_void),
    enter: unsafe extern "C" fn(*mut ThreadPool, Task, *mut c_void),
    join: extern "C" fn(Task, *mut c_void, Task, *mut c_void),
    scope: extern "C" fn(Spawner, *mut c_void),
    spawn: unsafe extern "C" fn(*const Scope<'_>, Task, *mut c_void),
    thread: extern "C" fn() -> usize,
    fib: unsafe extern "C" fn(*mut ThreadPool, c_uint) -> u64,
    sort_uint32: unsafe extern "C" fn(*mut ThreadPool, *mut u32, usize),
    sort_double: unsafe extern "C" fn(*mut ThreadPool, *mut f64, usize),
    scan_int64: Option<unsafe extern "C" fn(*mut ThreadPool, *const i64, *mut i64, usize)>,
}

#[allow(non_upper_case_globals)]
#[no_mangle]
pub static bench_peer_rayon: Peer =
    Peer { create, destroy, run, enter, join, scope, spawn, thread, fib: fib_in_pool, sort_uint32,
           sort_double, scan_int64: None };

/// Handed to the part as it came; what it points to is made for several threads.
#[derive(Clone, Copy)]
struct Context(*mut c_void);
unsafe impl Send for Context {}
unsafe impl Sync for Context {}

impl Context {
    fn pointer(self) -> *mut c_void {
        self.0
    }
}

struct Ranges {
    range: Range<usize>,
    most: usize,
    part: Part,
    ctx: Context,
}

impl Producer for Ranges {
    type Item = usize;
    type IntoIter = Range<usize>;

    fn into_iter(self) -> Range<usize> {
        self.range
    }

    fn max_len(&self) -> usize {
        self.most
    }

    fn split_at(self, index: usize) -> (Self, Self) {
        let Ranges { range, most, part, ctx } = self;
        let middle = range.start + index;
        (
            Ranges { range: range.start..middle, most, part, ctx },
            Ranges { range: middle..range.end, most, part, ctx },
        )
    }

    fn fold_with<F: Folder<usize>>(self, folder: F) -> F {
        (self.part)(self.range.start, self.range.end, self.ctx.pointer());
        folder
    }
}

/// Takes nothing: the parts leave their results themselves.
struct Nothing;

impl<T> Consumer<T> for Nothing {
    type Folder = Nothing;
    type Reducer = Nothing;
    type Result = ();

    fn split_at(self, _: usize) -> (Self, Self, Self) {
        (Nothing, Nothing, Nothing)
    }

    fn into_folder(self) -> Self {
        self
    }

    fn full(&self) -> bool {
        false
    }
}

impl<T> Folder<T> for Nothing {
    type Result = ();

    fn consume(self, _: T) -> Self {
        self
    }

    fn complete(self) {}

    fn full(&self) -> bool {
        false
    }
}

impl Reducer<()> for Nothing {
    fn reduce(self, _: (), _: ()) {}
}

extern "C" fn create(workers: c_uint) -> *mut ThreadPool {
    let builder = ThreadPoolBuilder::new().num_threads(workers as usize);
    match builder.stack_size(STACK_BYTES).build() {
        Ok(pool) => Box::into_raw(Box::new(pool)),
        Err(_) => std::ptr::null_mut(),
    }
}

unsafe extern "C" fn destroy(pool: *mut ThreadPool) {
    drop(Box::from_raw(pool));
}

unsafe extern "C" fn run(
    pool: *mut ThreadPool,
    count: usize,
    most: usize,
    part: Part,
    ctx: *mut c_void,
) {
    let most = if most > 0 { most } else { usize::MAX };
    let ranges = Ranges { range: 0..count, most, part, ctx: Context(ctx) };
    let all = move || bridge_producer_consumer(count, ranges, Nothing);
    match pool.as_ref() {
        Some(pool) => pool.install(all),
        None => all(),
    }
}

unsafe extern "C" fn enter(pool: *mut ThreadPool, inside: Task, ctx: *mut c_void) {
    let ctx = Context(ctx);
    (*pool).install(move || inside(ctx.pointer()));
}

extern "C" fn join(f: Task, a: *mut c_void, g: Task, b: *mut c_void) {
    let (a, b) = (Context(a), Context(b));
    rayon::join(move || f(a.pointer()), move || g(b.pointer()));
}

extern "C" fn scope(inside: Spawner, ctx: *mut c_void) {
    let ctx = Context(ctx);
    rayon::scope(move |scope| inside(scope, ctx.pointer()));
}

unsafe extern "C" fn spawn(scope: *const Scope<'_>, task: Task, ctx: *mut c_void) {
    let ctx = Context(ctx);
    (*scope).spawn(move |_| task(ctx.pointer()));
}

extern "C" fn thread() -> usize {
    rayon::current_thread_index().unwrap()
}

fn fib(n: c_uint) -> u64 {
    if n < 2 {
        return n.into();
    }
    let (left, right) = rayon::join(|| fib(n - 1), || fib(n - 2));
    left + right
}

unsafe extern "C" fn fib_in_pool(pool: *mut ThreadPool, n: c_uint) -> u64 {
    (*pool).install(|| fib(n))
}

unsafe extern "C" fn sort_uint32(pool: *mut ThreadPool, x: *mut u32, n: usize) {
    let numbers = std::slice::from_raw_parts_mut(x, n);
    (*pool).install(|| numbers.par_sort_unstable());
}

unsafe extern "C" fn sort_double(pool: *mut ThreadPool, x: *mut f64, n: usize) {
    let numbers = std::slice::from_raw_parts_mut(x, n);
    (*pool).install(|| numbers.par_sort_unstable_by(f64::total_cmp));
}
