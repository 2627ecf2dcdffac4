#include "graph/layout.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/error.hpp"
#include "core/random.hpp"
#include "graph/components.hpp"

namespace unveil {
namespace {

struct Point {
    double x = 0;
    double y = 0;
};

/// A quadtree in one array, parents before children; `next` jumps over a subtree.
class QuadTree {
  public:
    void build(const std::vector<Point>& points, const std::vector<double>& masses) {
        m_points = &points;
        m_masses = &masses;
        m_cells.clear();
        m_order.resize(points.size());
        std::iota(m_order.begin(), m_order.end(), 0u);
        Point low = points[0];
        Point high = points[0];
        for (const auto& point : points) {
            low = {std::min(low.x, point.x), std::min(low.y, point.y)};
            high = {std::max(high.x, point.x), std::max(high.y, point.y)};
        }
        const double side = std::max({high.x - low.x, high.y - low.y, 1e-9});
        split(0, static_cast<std::uint32_t>(points.size()), low, side, 0);
    }

    /// Sum over all other points of mass * (here - there) / distance^2.
    Point repulsion(std::uint32_t self) const {
        const Point here = (*m_points)[self];
        Point sum;
        for (std::uint32_t i = 0; i < m_cells.size();) {
            const auto& cell = m_cells[i];
            const double dx = here.x - cell.centre.x;
            const double dy = here.y - cell.centre.y;
            const double distance2 = dx * dx + dy * dy;
            if (cell.side * cell.side < opening2 * distance2) {
                sum.x += cell.mass * dx / distance2;
                sum.y += cell.mass * dy / distance2;
                i = cell.next;
            } else if (cell.next == i + 1) {
                for (auto k = cell.begin; k < cell.end; ++k) add_point(m_order[k], self, here, sum);
                i = cell.next;
            } else {
                ++i;
            }
        }
        return sum;
    }

  private:
    static constexpr double opening2 = 1.44;  // a cell counts as one point when side < 1.2 distance
    static constexpr std::uint32_t leaf_points = 6;
    static constexpr int depth_max = 24;

    struct Cell {
        Point centre;
        double mass = 0;
        double side = 0;
        std::uint32_t begin = 0;
        std::uint32_t end = 0;
        std::uint32_t next = 0;
    };

    void add_point(std::uint32_t other, std::uint32_t self, Point here, Point& sum) const {
        if (other == self) return;
        double dx = here.x - (*m_points)[other].x;
        double dy = here.y - (*m_points)[other].y;
        double distance2 = dx * dx + dy * dy;
        if (distance2 < 1e-12) {  // on top of each other: part them by number
            dx = other < self ? 1e-6 : -1e-6;
            dy = 0;
            distance2 = 1e-12;
        }
        sum.x += (*m_masses)[other] * dx / distance2;
        sum.y += (*m_masses)[other] * dy / distance2;
    }

    void split(std::uint32_t begin, std::uint32_t end, Point low, double side, int depth) {
        const auto index = static_cast<std::uint32_t>(m_cells.size());
        Cell cell;
        cell.side = side;
        cell.begin = begin;
        cell.end = end;
        for (auto k = begin; k < end; ++k) {
            const auto point = m_order[k];
            const double mass = (*m_masses)[point];
            cell.mass += mass;
            cell.centre.x += mass * (*m_points)[point].x;
            cell.centre.y += mass * (*m_points)[point].y;
        }
        cell.centre = {cell.centre.x / cell.mass, cell.centre.y / cell.mass};
        m_cells.push_back(cell);
        if (end - begin > leaf_points && depth < depth_max) {
            const double half = side / 2;
            const auto at = [&](std::uint32_t k) { return m_order.begin() + k; };
            const auto part = [&](std::uint32_t from, std::uint32_t to, auto&& is_first) {
                return static_cast<std::uint32_t>(std::stable_partition(at(from), at(to), is_first) - m_order.begin());
            };
            const auto is_top = [&](std::uint32_t p) { return (*m_points)[p].y < low.y + half; };
            const auto is_left = [&](std::uint32_t p) { return (*m_points)[p].x < low.x + half; };
            const auto middle = part(begin, end, is_top);
            const auto top = part(begin, middle, is_left);
            const auto bottom = part(middle, end, is_left);
            const std::array<std::uint32_t, 5> bounds = {begin, top, middle, bottom, end};
            for (std::uint32_t quarter = 0; quarter < 4; ++quarter) {
                if (bounds[quarter] == bounds[quarter + 1]) continue;
                const Point corner = {quarter % 2 == 0 ? low.x : low.x + half, quarter < 2 ? low.y : low.y + half};
                split(bounds[quarter], bounds[quarter + 1], corner, half, depth + 1);
            }
        }
        m_cells[index].next = static_cast<std::uint32_t>(m_cells.size());
    }

    const std::vector<Point>* m_points = nullptr;
    const std::vector<double>* m_masses = nullptr;
    std::vector<Cell> m_cells;
    std::vector<std::uint32_t> m_order;
};

/// ForceAtlas2 on one connected component; `edges` are in local numbers.
std::vector<Point> force_layout(std::uint32_t vertices, const std::vector<LayoutEdge>& edges, std::uint64_t seed,
                                std::uint32_t iterations) {
    Random random(seed, vertices);
    std::vector<Point> points(vertices);
    const double spread = 10 * std::sqrt(static_cast<double>(vertices));
    for (auto& point : points) {
        point.x = (random.uniform() - 0.5) * spread;
        point.y = (random.uniform() - 0.5) * spread;
    }
    std::vector<double> masses(vertices, 1);
    for (const auto& edge : edges) {
        masses[edge.from] += 1;
        masses[edge.to] += 1;
    }
    constexpr double repulsion_strength = 4;
    constexpr double gravity = 0.05;
    constexpr double tolerance = 1;
    std::vector<Point> force(vertices);
    std::vector<Point> force_before(vertices);
    QuadTree tree;
    double speed = 1;
    for (std::uint32_t iteration = 0; iteration < iterations; ++iteration) {
        tree.build(points, masses);
        for (std::uint32_t i = 0; i < vertices; ++i) {
            const auto push = tree.repulsion(i);
            force[i].x = masses[i] * (repulsion_strength * push.x - gravity * points[i].x);
            force[i].y = masses[i] * (repulsion_strength * push.y - gravity * points[i].y);
        }
        for (const auto& edge : edges) {
            const double pull_x = edge.weight * (points[edge.to].x - points[edge.from].x);
            const double pull_y = edge.weight * (points[edge.to].y - points[edge.from].y);
            force[edge.from].x += pull_x;
            force[edge.from].y += pull_y;
            force[edge.to].x -= pull_x;
            force[edge.to].y -= pull_y;
        }
        // Section "Adapting the local and the global speed": swinging vertices are slowed down.
        double swinging_all = 0;
        double traction_all = 0;
        std::vector<double> swinging(vertices);
        for (std::uint32_t i = 0; i < vertices; ++i) {
            const double sx = force[i].x - force_before[i].x;
            const double sy = force[i].y - force_before[i].y;
            const double tx = force[i].x + force_before[i].x;
            const double ty = force[i].y + force_before[i].y;
            swinging[i] = std::sqrt(sx * sx + sy * sy);
            swinging_all += masses[i] * swinging[i];
            traction_all += masses[i] * std::sqrt(tx * tx + ty * ty) / 2;
        }
        const double speed_wanted = swinging_all > 0 ? tolerance * traction_all / swinging_all : speed;
        speed = std::min(speed_wanted, 1.5 * speed);
        for (std::uint32_t i = 0; i < vertices; ++i) {
            const double size = std::sqrt(force[i].x * force[i].x + force[i].y * force[i].y);
            double step = 0.1 * speed / (1 + speed * std::sqrt(swinging[i]));
            if (size > 0) step = std::min(step, 10 / size);
            points[i].x += step * force[i].x;
            points[i].y += step * force[i].y;
        }
        force_before.swap(force);
    }
    return points;
}

struct Box {
    std::uint32_t component = 0;
    Point low;
    double width = 0;
    double height = 0;
    Point corner;  // where it is packed
};

/// Puts each box as high up as it fits under a skyline, boxes in the given order.
void pack(std::vector<Box>& boxes, double width) {
    struct Step {
        double x;
        double y;
    };
    std::vector<Step> skyline = {{0, 0}};
    for (auto& box : boxes) {
        std::size_t best = 0;
        double best_y = std::numeric_limits<double>::max();
        for (std::size_t i = 0; i < skyline.size(); ++i) {
            const double right = skyline[i].x + box.width;
            if (right > width && i > 0) break;
            double y = 0;
            for (std::size_t k = i; k < skyline.size() && skyline[k].x < right; ++k) y = std::max(y, skyline[k].y);
            if (y < best_y) {
                best_y = y;
                best = i;
            }
        }
        box.corner = {skyline[best].x, best_y};
        const double right = box.corner.x + box.width;
        std::size_t after = best;
        double y_after = skyline[best].y;
        while (after < skyline.size() && skyline[after].x <= right) y_after = skyline[after++].y;
        std::vector<Step> next(skyline.begin(), skyline.begin() + static_cast<std::ptrdiff_t>(best));
        next.push_back({box.corner.x, best_y + box.height});
        next.push_back({right, y_after});
        next.insert(next.end(), skyline.begin() + static_cast<std::ptrdiff_t>(after), skyline.end());
        skyline = std::move(next);
    }
}

GraphLayout quantised(const std::vector<Point>& points) {
    Point low = points[0];
    Point high = points[0];
    for (const auto& point : points) {
        low = {std::min(low.x, point.x), std::min(low.y, point.y)};
        high = {std::max(high.x, point.x), std::max(high.y, point.y)};
    }
    const double extent = std::max({high.x - low.x, high.y - low.y, 1e-9});
    const auto place = [&](double value, double from, double to) {
        return static_cast<std::int16_t>(std::floor((value - (from + to) / 2) / extent * 65534 + 0.5));
    };
    GraphLayout layout;
    for (const auto& point : points) {
        layout.x.push_back(std::min<std::int16_t>(32767, place(point.x, low.x, high.x)));
        layout.y.push_back(std::min<std::int16_t>(32767, place(point.y, low.y, high.y)));
    }
    return layout;
}

}  // namespace

GraphLayout lay_out_graph(std::uint32_t vertices, std::span<const LayoutEdge> edges, std::uint64_t seed) {
    if (vertices == 0) return {};
    std::vector<std::pair<std::uint32_t, std::uint32_t>> pairs;
    double weight_max = 0;
    for (const auto& edge : edges) {
        UNVEIL_ASSERT(std::isfinite(edge.weight) && edge.weight >= 0);
        pairs.emplace_back(edge.from, edge.to);
        weight_max = std::max(weight_max, edge.weight);
    }
    const auto component = connected_components(vertices, pairs);
    const auto components = 1 + *std::max_element(component.begin(), component.end());

    std::vector<std::vector<std::uint32_t>> members(components);
    std::vector<std::uint32_t> local(vertices);
    for (std::uint32_t i = 0; i < vertices; ++i) {
        local[i] = static_cast<std::uint32_t>(members[component[i]].size());
        members[component[i]].push_back(i);
    }
    std::vector<std::vector<LayoutEdge>> inner(components);
    for (const auto& edge : edges) {
        if (edge.from == edge.to) continue;
        // Never zero, or a component could drift apart.
        const double weight = weight_max > 0 ? 0.2 + 0.8 * std::sqrt(edge.weight / weight_max) : 1;
        inner[component[edge.from]].push_back({local[edge.from], local[edge.to], weight});
    }

    constexpr double work_max = 1e8;  // vertex visits and edge pulls in all
    std::vector<Point> points(vertices);
    std::vector<Box> boxes(components);
    double area = 0;
    double width_max = 0;
    for (std::uint32_t c = 0; c < components; ++c) {
        const auto size = static_cast<std::uint32_t>(members[c].size());
        const double work = 60.0 * size + 2.0 * static_cast<double>(inner[c].size());
        const double share = static_cast<double>(size) / vertices;
        const auto iterations = static_cast<std::uint32_t>(std::clamp(work_max * share / work, 10.0, 400.0));
        const auto placed = force_layout(size, inner[c], seed, size == 1 ? 0 : iterations);
        Point low = placed[0];
        Point high = placed[0];
        for (const auto& point : placed) {
            low = {std::min(low.x, point.x), std::min(low.y, point.y)};
            high = {std::max(high.x, point.x), std::max(high.y, point.y)};
        }
        // The same room for each vertex, whatever distances the forces found.
        const double extent = std::max({high.x - low.x, high.y - low.y, 1e-9});
        const double scale = size == 1 ? 0 : std::sqrt(static_cast<double>(size)) / extent;
        for (std::uint32_t i = 0; i < size; ++i)
            points[members[c][i]] = {(placed[i].x - low.x) * scale, (placed[i].y - low.y) * scale};
        constexpr double gap = 0.9;
        auto& box = boxes[c];
        box.component = c;
        box.width = (high.x - low.x) * scale + gap;
        box.height = (high.y - low.y) * scale + gap;
        area += box.width * box.height;
        width_max = std::max(width_max, box.width);
    }
    std::stable_sort(boxes.begin(), boxes.end(), [&](const Box& a, const Box& b) {
        return members[a.component].size() > members[b.component].size();
    });
    pack(boxes, std::max(width_max, std::sqrt(area * 1.7)));
    for (const auto& box : boxes) {
        for (const auto vertex : members[box.component]) {
            points[vertex].x += box.corner.x;
            points[vertex].y += box.corner.y;
        }
    }
    return quantised(points);
}

}  // namespace unveil
