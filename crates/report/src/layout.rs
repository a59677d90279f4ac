//! Where the steps of a graph are drawn: in columns from left to right, each step right of all it depends on, with few
//! crossings and short edges.

use std::collections::VecDeque;

/// The width of a step.
pub(crate) const WIDTH: i32 = 184;
/// The height of a step.
pub(crate) const HEIGHT: i32 = 40;
/// From the left of one column to the left of the next.
const COLUMN: i32 = WIDTH + 84;
/// Between two steps of a column.
const GAP: i32 = 16;
/// What an edge takes that passes a column.
const LANE: i32 = 12;
/// Edges that pass columns are led around steps as long as that are not too many.
const MAX_LANES: usize = 20_000;

/// Where everything is. Numbers are pixels at natural size.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The left upper corner of each step.
    pub(crate) steps: Vec<(i32, i32)>,
    /// For each edge, the height at which it passes each column between its ends.
    pub(crate) lanes: Vec<Vec<i32>>,
    /// The size of the whole.
    pub(crate) size: (i32, i32),
}

/// Lays out a graph of `count` steps. Edges that make a cycle are drawn, and have no say.
pub(crate) fn layout(count: usize, edges: &[(usize, usize)]) -> Layout {
    let columns = columns(count, edges);
    let mut graph = Graph::new(count, edges, &columns);
    graph.order();
    let heights = graph.heights();
    let top = |cell: usize| heights[cell] - f64::from(graph.extent(cell)) / 2.0;
    let highest = (0..graph.cells.len()).map(top).fold(f64::INFINITY, f64::min);
    let highest = if highest.is_finite() { highest } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, reason = "a drawing is not that large")]
    let at = |height: f64| (height - highest).round() as i32;
    let mut steps: Vec<(i32, i32)> = (0..count)
        .map(|step| {
            (i32::try_from(columns[step].unwrap_or(0)).unwrap_or(0) * COLUMN, at(heights[step]) - HEIGHT / 2)
        })
        .collect();
    let lanes =
        graph.lanes.iter().map(|lanes| lanes.iter().map(|cell| at(heights[*cell])).collect()).collect();
    let size = |steps: &[(i32, i32)], is_in: &dyn Fn(usize) -> bool| {
        let drawn = || steps.iter().enumerate().filter(|(step, _)| is_in(*step)).map(|(_, corner)| corner);
        (
            drawn().map(|(x, _)| x + WIDTH).max().unwrap_or(0),
            drawn().map(|(_, y)| y + HEIGHT).max().unwrap_or(0),
        )
    };
    let is_connected = |step: usize| columns[step].is_some();
    let (width, height) = size(&steps, &is_connected);
    // Steps that nothing leads to or from stand below all others, in rows.
    let alone: Vec<usize> = (0..count).filter(|step| !is_connected(*step)).collect();
    let fitting = usize::try_from(width / COLUMN).unwrap_or(0) + 1;
    let in_a_row = fitting.max(alone.len().isqrt().div_ceil(3)).max(4);
    for (place, step) in alone.into_iter().enumerate() {
        let (row, column) = (place / in_a_row, place % in_a_row);
        let number = |number: usize| i32::try_from(number).unwrap_or(i32::MAX / COLUMN);
        let below = if height == 0 { 0 } else { height + 2 * GAP };
        steps[step] = (number(column) * COLUMN, below + number(row) * (HEIGHT + GAP));
    }
    let size = size(&steps, &|_| true);
    Layout { steps, lanes, size }
}

/// The column of each step: behind all it depends on, and roots right before what needs them. None for steps without edges.
fn columns(count: usize, edges: &[(usize, usize)]) -> Vec<Option<usize>> {
    let mut children = vec![Vec::new(); count];
    let mut open = vec![0_usize; count];
    let mut columns: Vec<Option<usize>> = vec![None; count];
    for (from, to) in edges {
        children[*from].push(*to);
        open[*to] += 1;
        columns[*from] = Some(0);
        columns[*to] = Some(0);
    }
    let is_root: Vec<bool> = open.iter().map(|open| *open == 0).collect();
    let mut ready: VecDeque<usize> = (0..count).filter(|step| is_root[*step]).collect();
    while let Some(step) = ready.pop_front() {
        for child in &children[step] {
            columns[*child] = columns[*child].max(columns[step].map(|column| column + 1));
            open[*child] -= 1;
            if open[*child] == 0 {
                ready.push_back(*child);
            }
        }
    }
    for root in (0..count).filter(|step| is_root[*step]) {
        if let Some(nearest) = children[root].iter().filter_map(|child| columns[*child]).min() {
            columns[root] = Some(nearest.saturating_sub(1));
        }
    }
    columns
}

/// A step, or the place where an edge passes a column.
#[derive(Debug, Clone, Default)]
struct Cell {
    column: usize,
    left: Vec<usize>,
    right: Vec<usize>,
}

/// The connected steps, and the lanes of edges: each link goes from one column to the next.
struct Graph {
    /// The first cells are the steps.
    cells: Vec<Cell>,
    steps: usize,
    /// The cells of each edge between its ends.
    lanes: Vec<Vec<usize>>,
    /// The cells of each column, from top to bottom.
    columns: Vec<Vec<usize>>,
}

impl Graph {
    fn new(count: usize, edges: &[(usize, usize)], columns: &[Option<usize>]) -> Self {
        let mut cells: Vec<Cell> =
            columns.iter().map(|column| Cell { column: column.unwrap_or(0), ..Cell::default() }).collect();
        let span = |(from, to): &(usize, usize)| cells[*to].column.saturating_sub(cells[*from].column);
        let spans: Vec<usize> = edges.iter().map(span).collect();
        let all_lanes: usize = spans.iter().map(|span| span.saturating_sub(1)).sum();
        let mut lanes = Vec::with_capacity(edges.len());
        for ((from, to), span) in edges.iter().zip(&spans) {
            let mut between = Vec::new();
            let mut last = *from;
            let is_led = *span == 1 || (*span > 1 && all_lanes <= MAX_LANES);
            if is_led {
                for step in 1..*span {
                    let cell = cells.len();
                    cells.push(Cell { column: cells[*from].column + step, ..Cell::default() });
                    link(&mut cells, last, cell);
                    between.push(cell);
                    last = cell;
                }
                link(&mut cells, last, *to);
            }
            lanes.push(between);
        }
        let last = cells.iter().map(|cell| cell.column).max().unwrap_or(0);
        let mut in_columns = vec![Vec::new(); last + 1];
        for (cell, known) in cells.iter().enumerate() {
            if cell >= count || columns[cell].is_some() {
                in_columns[known.column].push(cell);
            }
        }
        Self { cells, steps: count, lanes, columns: in_columns }
    }

    /// Orders each column so that few edges cross: each cell goes to the middle of its neighbors, from left to right and
    /// back, and the best order that was seen stays.
    fn order(&mut self) {
        const ROUNDS: usize = 12;
        let mut best = (self.crossings(), self.columns.clone());
        for round in 0..ROUNDS {
            if best.0 == 0 {
                break;
            }
            let to_right = round % 2 == 0;
            let mut places = vec![0.0; self.cells.len()];
            let mut sweep: Vec<usize> = (0..self.columns.len()).collect();
            if !to_right {
                sweep.reverse();
            }
            for column in sweep {
                let wanted = |cell: usize| {
                    let neighbors = if to_right { &self.cells[cell].left } else { &self.cells[cell].right };
                    mean(neighbors.iter().map(|neighbor| places[*neighbor]))
                };
                let mut keyed: Vec<(f64, usize)> = self.columns[column]
                    .iter()
                    .enumerate()
                    .map(|(place, cell)| (wanted(*cell).unwrap_or(as_float(place)), *cell))
                    .collect();
                keyed.sort_by(|one, other| one.0.total_cmp(&other.0));
                self.columns[column] = keyed.into_iter().map(|(_, cell)| cell).collect();
                // Columns of different sizes are compared by how far down a place is.
                for (place, cell) in self.columns[column].iter().enumerate() {
                    places[*cell] = as_float(place);
                }
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.columns.clone());
            }
        }
        self.columns = best.1;
    }

    fn crossings(&self) -> u64 {
        let mut place = vec![0; self.cells.len()];
        for column in &self.columns {
            for (at, cell) in column.iter().enumerate() {
                place[*cell] = at;
            }
        }
        let mut crossings = 0;
        for (column, next) in self.columns.iter().zip(self.columns.iter().skip(1)) {
            // How many links that begin above end below, by a tree of sums.
            let mut ends = Sums::new(next.len());
            for cell in column {
                let mut targets: Vec<usize> =
                    self.cells[*cell].right.iter().map(|target| place[*target]).collect();
                targets.sort_unstable();
                crossings += targets.iter().map(|target| ends.above(*target)).sum::<u64>();
                for target in targets {
                    ends.add(target);
                }
            }
        }
        crossings
    }

    fn extent(&self, cell: usize) -> i32 {
        if cell < self.steps { HEIGHT + GAP } else { LANE }
    }

    /// The height of each cell's middle: as near to its neighbors as the order and the extents allow.
    fn heights(&self) -> Vec<f64> {
        const ROUNDS: usize = 10;
        let mut heights = vec![0.0; self.cells.len()];
        for column in &self.columns {
            let mut below = 0.0;
            for cell in column {
                heights[*cell] = below + f64::from(self.extent(*cell)) / 2.0;
                below += f64::from(self.extent(*cell));
            }
        }
        for round in 0..ROUNDS {
            let mut sweep: Vec<usize> = (0..self.columns.len()).collect();
            if round % 2 == 1 {
                sweep.reverse();
            }
            let is_last = round + 2 >= ROUNDS;
            for column in sweep {
                let wanted = |cell: usize| {
                    let (left, right) = (&self.cells[cell].left, &self.cells[cell].right);
                    let near = |cells: &[usize]| mean(cells.iter().map(|other| heights[*other]));
                    let (left, right) = (near(left), near(right));
                    match (left, right) {
                        (Some(left), Some(right)) if is_last => f64::midpoint(left, right),
                        (Some(left), _) if round % 2 == 0 => left,
                        (_, Some(right)) if round % 2 == 1 => right,
                        _ => heights[cell],
                    }
                };
                let wanted: Vec<f64> = self.columns[column].iter().map(|cell| wanted(*cell)).collect();
                let placed = self.placed(&self.columns[column], &wanted);
                for (cell, height) in self.columns[column].iter().zip(placed) {
                    heights[*cell] = height;
                }
            }
        }
        heights
    }

    /// The heights nearest to those that are wanted (least squares) at which no two cells overlap. Cells that would are
    /// moved together, as one block.
    fn placed(&self, column: &[usize], wanted: &[f64]) -> Vec<f64> {
        // Without what stands above each, all that is left to ask for is that no height is less than the one before.
        let mut offsets = Vec::with_capacity(column.len());
        let mut offset = 0.0;
        for (at, cell) in column.iter().enumerate() {
            if at > 0 {
                offset += f64::from(self.extent(column[at - 1]) + self.extent(*cell)) / 2.0;
            }
            offsets.push(offset);
        }
        let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
        for (at, cell) in column.iter().enumerate() {
            // A long edge is drawn straight, if need be at the cost of steps.
            let weight = if *cell < self.steps { 1.0 } else { 2.0 };
            blocks.push((weight * (wanted[at] - offsets[at]), weight, 1));
            while let [.., above, last] = blocks.as_slice()
                && above.0 / above.1 > last.0 / last.1
            {
                let merged = (above.0 + last.0, above.1 + last.1, above.2 + last.2);
                blocks.pop();
                blocks.pop();
                blocks.push(merged);
            }
        }
        let levels = blocks.iter().flat_map(|(sum, weight, size)| std::iter::repeat_n(sum / weight, *size));
        levels.zip(offsets).map(|(level, offset)| level + offset).collect()
    }
}

fn link(cells: &mut [Cell], from: usize, to: usize) {
    cells[from].right.push(to);
    cells[to].left.push(from);
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    (count > 0.0).then(|| sum / count)
}

#[expect(clippy::cast_precision_loss, reason = "a place in a column is a small number")]
fn as_float(place: usize) -> f64 {
    place as f64
}

/// Counts numbers, and says how many are greater than one.
struct Sums {
    tree: Vec<u64>,
    total: u64,
}

impl Sums {
    fn new(size: usize) -> Self {
        Self { tree: vec![0; size + 1], total: 0 }
    }

    fn add(&mut self, number: usize) {
        self.total += 1;
        let mut at = number + 1;
        while at < self.tree.len() {
            self.tree[at] += 1;
            at += at & at.wrapping_neg();
        }
    }

    fn above(&self, number: usize) -> u64 {
        let (mut at, mut up_to) = (number + 1, 0);
        while at > 0 {
            up_to += self.tree[at];
            at &= at - 1;
        }
        self.total - up_to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(count: usize, edges: &[(usize, usize)]) -> Layout {
        let layout = layout(count, edges);
        for (one, at) in layout.steps.iter().enumerate() {
            for (other, beside) in layout.steps.iter().enumerate().skip(one + 1) {
                let apart = (at.0 - beside.0).abs() >= WIDTH || (at.1 - beside.1).abs() >= HEIGHT;
                assert!(apart, "{one} at {at:?} and {other} at {beside:?} overlap");
            }
            assert!(
                at.0 >= 0 && at.1 >= 0 && at.0 + WIDTH <= layout.size.0 && at.1 + HEIGHT <= layout.size.1
            );
        }
        layout
    }

    #[test]
    fn a_chain_is_a_line_and_a_diamond_is_symmetric() {
        let chain = check(4, &[(0, 1), (1, 2), (2, 3)]);
        assert_eq!(chain.steps, [(0, 8), (268, 8), (536, 8), (804, 8)]);
        let diamond = check(4, &[(0, 1), (0, 2), (1, 3), (2, 3)]);
        assert_eq!(diamond.steps[0].1, diamond.steps[3].1);
        assert_eq!(diamond.steps[0].1 * 2, diamond.steps[1].1 + diamond.steps[2].1);
    }

    #[test]
    fn edges_do_not_cross_where_they_need_not() {
        // Declared so that drawing them as they come would cross each of them.
        let layout = check(6, &[(0, 5), (1, 4), (2, 3)]);
        let order = |steps: [usize; 3]| {
            let mut steps = steps;
            steps.sort_by_key(|step| layout.steps[*step].1);
            steps
        };
        let (left, right) = (order([0, 1, 2]), order([3, 4, 5]));
        assert_eq!(left.map(|step| 5 - step), right);
    }

    #[test]
    fn a_long_edge_passes_beside_the_steps_between() {
        let layout = check(3, &[(0, 1), (1, 2), (0, 2)]);
        let [lane] = layout.lanes[2].as_slice() else { panic!("one column lies between") };
        assert!(*lane < layout.steps[1].1 || *lane > layout.steps[1].1 + HEIGHT, "{layout:?}");
    }

    #[test]
    fn odd_graphs_are_drawn_too() {
        assert_eq!(check(0, &[]).size, (0, 0));
        check(1, &[]);
        check(50, &[]);
        check(3, &[(0, 1), (1, 0), (1, 2)]);
        let fan: Vec<(usize, usize)> = (1..40).map(|leaf| (0, leaf)).collect();
        check(40, &fan);
        let long: Vec<(usize, usize)> =
            (0..300).flat_map(|at| [(at, at + 1), (at, 300)]).filter(|(from, to)| from < to).collect();
        check(301, &long);
    }
}
