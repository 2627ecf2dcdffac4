// One network one can move in, drawn by WebGL over the still picture. Positions, groups and marks come from the page;
// nothing is laid out here. Throws when WebGL is not to be had; the caller then leaves the still picture alone.
import Graph from "graphology";
import Sigma from "sigma";

const names_shown_max = 12;

function element(tag, css_class, words) {
  const made = document.createElement(tag);
  if (css_class) made.className = css_class;
  if (words !== undefined) made.textContent = words;
  return made;
}

function has_webgl() {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("webgl2") || canvas.getContext("webgl");
  if (!context) return false;
  const lose = context.getExtension("WEBGL_lose_context");
  if (lose) lose.loseContext();
  return true;
}

/// Colours come from the style sheet, so that the moving picture and the still one agree, by day and by night.
function style_of(css_class, property) {
  const probe = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const mark = document.createElementNS("http://www.w3.org/2000/svg", "path");
  mark.setAttribute("class", css_class);
  probe.append(mark);
  document.body.append(probe);
  const found = getComputedStyle(mark)[property];
  probe.remove();
  return found;
}

function css_variable(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/// rgb(1, 2, 3) mixed with the paper, because WebGL edges without blending stay thin and fast.
function faded(colour, paper, share) {
  const parts = (text) => (text.match(/[\d.]+/g) || [0, 0, 0]).slice(0, 3).map(Number);
  const front = parts(colour);
  const back = parts(paper);
  const mixed = front.map((value, i) => Math.round(value * share + back[i] * (1 - share)));
  return `rgb(${mixed.join(",")})`;
}

export class Network {
  constructor(figure) {
    const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
    if (data.nodes.length === 0) return;
    if (!has_webgl()) throw new Error("no WebGL");
    this.figure = figure;
    this.data = data;
    this.group = null; // shown group, or null for all
    this.hovered = null;
    this.chosen = null;
    this.build_graph();
    this.build_tools();
    const stage = figure.querySelector(".stage");
    this.live = element("div", "live");
    stage.append(this.live);
    this.renderer = new Sigma(this.graph, this.live, {
      renderLabels: true,
      labelFont: "system-ui, sans-serif",
      labelSize: 12,
      labelColor: { color: css_variable("--ink") },
      labelDensity: 0.3,
      labelRenderedSizeThreshold: 14,
      defaultDrawNodeHover: (context, node, settings) => this.draw_hover(context, node, settings),
      // The stage may be out of sight for a moment, as in print.
      allowInvalidContainer: true,
      minEdgeThickness: 0.7,
      stagePadding: 24,
      zIndex: true,
      nodeReducer: (node, attributes) => this.reduce_node(node, attributes),
      edgeReducer: (edge, attributes) => this.reduce_edge(edge, attributes),
    });
    figure.classList.add("is-live");
    this.build_group_names();
    this.listen();
  }

  build_graph() {
    const paper = getComputedStyle(document.body).backgroundColor;
    const mark_of_group = new Map(this.data.groups.map(([number, mark]) => [number, mark]));
    const node_colours = [];
    const edge_colours = [];
    for (let mark = 0; mark <= 7; ++mark) {
      node_colours.push(style_of("g" + mark, "fill"));
      edge_colours.push(faded(style_of("e" + mark, "stroke"), paper, 0.45));
    }
    this.faint = faded("rgb(128,128,128)", paper, 0.22);
    this.graph = new Graph({ multi: true, allowSelfLoops: true, type: "undirected" });
    const weight_max = Math.max(1e-9, ...this.data.nodes.map((node) => node[3]));
    const base = Math.min(6, Math.max(1.8, 90 / Math.sqrt(this.data.nodes.length)));
    const mark_of = (index) => mark_of_group.get(this.data.nodes[index][2]) || 0;
    this.data.nodes.forEach(([id, name, , weight, x, y], index) => {
      this.graph.addNode(String(index), {
        x,
        y: -y,
        size: base * (0.6 + Math.sqrt(Math.max(0, weight) / weight_max)),
        color: node_colours[mark_of(index)],
        label: name ? `${name} (${id})` : id,
      });
    });
    const edge_max = Math.max(1e-9, ...this.data.edges.map((edge) => edge[2]));
    for (const [from, to, weight] of this.data.edges) {
      const share = weight / edge_max;
      this.graph.addEdge(String(from), String(to), {
        size: share < 0.15 ? 0.5 : share < 0.5 ? 1 : 1.8,
        color: edge_colours[mark_of(from) === mark_of(to) ? mark_of(from) : 0],
      });
    }
  }

  build_tools() {
    const tools = element("div", "tools");
    if (this.data.groups.length > 1) {
      const select = element("select");
      const all = element("option", "", "All groups");
      all.value = "";
      select.append(all);
      for (const [number, , count] of this.data.groups.slice(0, 50)) {
        const words = number === 0 ? "No group" : `Group ${number}`;
        const option = element("option", "", `${words} (${count.toLocaleString("en")})`);
        option.value = String(number);
        select.append(option);
      }
      select.addEventListener("change", () => {
        this.group = select.value === "" ? null : Number(select.value);
        this.renderer.refresh({ skipIndexation: true });
      });
      const label = element("label", "", "Show ");
      label.append(select);
      tools.append(label);
    }
    const find = element("input");
    find.type = "search";
    find.placeholder = "Find an account";
    find.setAttribute("aria-label", "Find an account");
    find.addEventListener("input", () => this.find(find.value));
    tools.append(find);
    const buttons = [
      ["Closer", () => this.renderer.getCamera().animatedZoom({ duration: 200 })],
      ["Further", () => this.renderer.getCamera().animatedUnzoom({ duration: 200 })],
      ["Whole picture", () => this.renderer.getCamera().animatedReset({ duration: 200 })],
    ];
    for (const [words, act] of buttons) {
      const button = element("button", "", words);
      button.type = "button";
      button.addEventListener("click", act);
      tools.append(button);
    }
    this.status = element("p", "status");
    this.status.setAttribute("aria-live", "polite");
    tools.append(this.status);
    this.figure.prepend(tools);
    this.say_nothing();
  }

  build_group_names() {
    this.group_names = [];
    for (const [number, mark, count] of this.data.groups) {
      if (mark === 0 || count < Math.max(3, Math.floor(this.data.nodes.length / 50))) continue;
      let x = 0;
      let y = -Infinity;
      this.data.nodes.forEach(([, , group, , node_x, node_y]) => {
        if (group !== number) return;
        x += node_x / count;
        y = Math.max(y, -node_y);
      });
      const name = element("span", "group-name", `Group ${number}`);
      this.live.append(name);
      this.group_names.push({ name, number, x, y });
    }
    const place = () => {
      for (const { name, number, x, y } of this.group_names) {
        const at = this.renderer.graphToViewport({ x, y });
        name.style.transform = `translate(${Math.round(at.x)}px, ${Math.round(at.y - 12)}px) translate(-50%, -100%)`;
        name.style.visibility = this.group === null || this.group === number ? "visible" : "hidden";
      }
    };
    this.renderer.on("afterRender", place);
    place();
  }

  listen() {
    this.renderer.on("enterNode", ({ node }) => this.hover(node));
    this.renderer.on("leaveNode", () => this.hover(null));
    this.renderer.on("clickNode", ({ node }) => this.choose(node === this.chosen ? null : node));
    this.renderer.on("clickStage", () => this.choose(null));
  }

  hover(node) {
    this.hovered = node;
    this.describe(node || this.chosen);
  }

  choose(node) {
    this.chosen = node;
    this.near = node === null ? null : new Set([node, ...this.graph.neighbors(node)]);
    this.describe(node);
    this.renderer.refresh({ skipIndexation: true });
  }

  find(words) {
    const wanted = words.trim().toLowerCase();
    const found =
      wanted === "" ? undefined : this.graph.findNode((_, { label }) => label.toLowerCase().includes(wanted));
    this.choose(found === undefined ? null : found);
    if (wanted !== "" && found === undefined) this.status.textContent = "No account here has that in its name.";
  }

  say_nothing() {
    this.status.textContent = "Point at a mark to read its account; click it to see whom it acts with.";
  }

  describe(node) {
    if (node === null) {
      this.say_nothing();
      return;
    }
    const names = this.graph.neighbors(node).map((other) => this.graph.getNodeAttribute(other, "label"));
    const shown = names.slice(0, names_shown_max).join(", ");
    const more = names.length > names_shown_max ? ` and ${names.length - names_shown_max} more` : "";
    const group = this.data.nodes[Number(node)][2];
    this.status.replaceChildren(
      element("b", "", this.graph.getNodeAttribute(node, "label")),
      (group === 0 ? "" : ` · group ${group}`) +
        (names.length === 0 ? " · no links" : ` · linked with ${names.length}: ${shown}${more}`),
    );
  }

  is_shown(node) {
    return this.group === null || this.data.nodes[Number(node)][2] === this.group;
  }

  reduce_node(node, attributes) {
    if (!this.is_shown(node)) return { ...attributes, hidden: true };
    if (this.chosen === null) return attributes;
    if (!this.near.has(node)) return { ...attributes, color: this.faint, label: "", zIndex: 0 };
    return { ...attributes, zIndex: 1, forceLabel: node === this.chosen, size: attributes.size * 1.2 };
  }

  reduce_edge(edge, attributes) {
    const [from, to] = this.graph.extremities(edge);
    if (!this.is_shown(from) || !this.is_shown(to)) return { ...attributes, hidden: true };
    if (this.chosen === null) return attributes;
    if (from !== this.chosen && to !== this.chosen) return { ...attributes, hidden: true };
    return { ...attributes, size: attributes.size * 1.6, zIndex: 1 };
  }

  draw_hover(context, node, settings) {
    context.font = `${settings.labelSize}px ${settings.labelFont}`;
    const words = node.label || "";
    const width = Math.min(context.measureText(words).width, 360) + 10;
    const left = Math.round(node.x + node.size + 4);
    const top = Math.round(node.y - settings.labelSize / 2 - 5);
    context.fillStyle = css_variable("--paper");
    context.strokeStyle = css_variable("--ink");
    context.lineWidth = 1;
    context.beginPath();
    context.arc(node.x, node.y, node.size + 2, 0, 2 * Math.PI);
    context.stroke();
    context.beginPath();
    context.rect(left + 0.5, top + 0.5, width, settings.labelSize + 10);
    context.fill();
    context.stroke();
    context.fillStyle = css_variable("--ink");
    context.fillText(words, left + 6, top + settings.labelSize + 4, 360);
  }
}
