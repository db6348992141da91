// Where the marks of the axes stand.

const HOUR = 3600000;
const DAY = 24 * HOUR;

/** Round values from 0 to at least `top`, about `count` steps apart, whole ones. */
export function valueTicks(top, count = 5) {
  const rough = Math.max(1, top) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, [1, 2, 2.5, 5, 10].find((each) => each * power >= rough) * power);
  const whole = Number.isInteger(step) ? step : Math.ceil(step);
  const steps = Math.max(1, Math.ceil(top / whole));
  return Array.from({ length: steps + 1 }, (_, at) => at * whole);
}

const month = (wall) => {
  const date = new Date(wall);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
};

/** From fine to coarse: what a mark may stand for, and the number of it at a wall time. */
const LEVELS = [
  ...[1, 2, 3, 6, 12].map((size) => ["hour", (wall) => Math.floor(wall / (size * HOUR))]),
  ...[1, 2].map((size) => ["day", (wall) => Math.floor(wall / (size * DAY))]),
  // Weeks begin on Mondays; the first of January 1970 was a Thursday.
  ...[1, 2].map((size) => ["day", (wall) => Math.floor((wall / DAY + 3) / (7 * size))]),
  ...[1, 2, 3, 6].map((size) => ["month", (wall) => Math.floor(month(wall) / size)]),
  ...[1, 2, 5, 10, 50, 100].map((size) => ["year", (wall) => Math.floor(month(wall) / 12 / size)]),
];

/**
 * Which points get a mark: `{ unit, at }`, at most `room` of them. `walls` is what the clocks show
 * where each point begins. Points of weeks and months are counted off instead: they begin anywhere.
 */
export function timeTicks(walls, interval, room) {
  const most = Math.max(1, room);
  if (interval === "week" || interval === "month") {
    const size = Math.ceil(walls.length / most);
    const at = walls.map((_, index) => index).filter((index) => index % size === 0);
    return { unit: interval === "week" ? "day" : "month", at };
  }
  const levels = LEVELS.filter(([unit]) => interval === "hour" || unit !== "hour");
  for (const [unit, numberOf] of levels) {
    const at = [];
    walls.forEach((wall, index) => {
      const before = index === 0 ? numberOf(wall - 1) : numberOf(walls[index - 1]);
      if (numberOf(wall) > before) at.push(index);
    });
    if (at.length > 0 && at.length <= most) return { unit, at };
  }
  return { unit: "day", at: walls.length > 0 ? [0] : [] };
}
