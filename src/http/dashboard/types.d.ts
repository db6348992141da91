// Types for the comments in assets. The API's are generated from docs/openapi.json by
// tests/dashboard/types.js; none of this is part of the page.

import type { components, paths } from "../../../target/dashboard/openapi";
import type { Options } from "./assets/lib/api.js";
import type { RawJson } from "./assets/lib/json.js";

/** An object of the API, by its name in docs/openapi.json. */
export type Schema<Name extends keyof components["schemas"]> = components["schemas"][Name];

/** `/v1/members/{externalUserID}` as `/v1/members/{}`, which is how tests/dashboard/types.js reads
 * ``path`/v1/members/${id}` ``. */
type Plain<Path extends string> = Path extends `${infer Before}{${string}}${infer After}`
  ? `${Before}{}${Plain<After>}`
  : Path;
type Routes = { [Path in keyof paths as Plain<Path>]: paths[Path] };
type Method = "get" | "post" | "put" | "patch" | "delete";

/** The operation of a known path; otherwise never. */
type Operation<Verb extends Method, Path> = Path extends keyof Routes
  ? NonNullable<Routes[Path][Verb]>
  : never;

/** Whether a path is only known at run time, so that its types are unknown. */
type IsOpen<Path extends string> = {} extends Record<Path, true> ? true : false;

/** A path that the API has for this method. */
export type Known<Verb extends Method, Path extends string> =
  IsOpen<Path> extends true ? Path : [Operation<Verb, Path>] extends [never] ? never : Path;

type Content<Response> = Response extends { content: { "application/json": infer Body } }
  ? Body
  : null;
type Success<Responses> = Content<Responses[keyof Responses & (200 | 201 | 202 | 204)]>;

/** The result of a call. */
export type Answer<Verb extends Method, Path extends string> =
  IsOpen<Path> extends true
    ? any
    : Operation<Verb, Path> extends { responses: infer Responses }
      ? Success<Responses>
      : never;

/**
 * The parameters of a call; null and empty values are left out. Enumerations are accepted as any
 * text, because values mostly come from a field.
 */
export type Query<Verb extends Method, Path extends string> =
  IsOpen<Path> extends true
    ? any
    : Operation<Verb, Path> extends { parameters: { query?: infer Given } }
      ? [NonNullable<Given>] extends [never]
        ? Record<string, never>
        : { [Name in keyof Given]?: Loose<Given[Name]> | null | "" }
      : never;
type Loose<Value> = NonNullable<Value> extends string ? string | Extract<Value, null> : Value;

/** The body of a call. JSON of the app is passed as its text. */
export type Body<Verb extends Method, Path extends string> =
  IsOpen<Path> extends true
    ? any
    : Operation<Verb, Path> extends {
          requestBody: { content: { "application/json": infer Given } };
        }
      ? { [Name in keyof Given]: Loose<Given[Name]> | RawJson }
      : Operation<Verb, Path> extends {
            requestBody?: { content: { "application/json": infer Given } };
          }
        ? { [Name in keyof Given]: Loose<Given[Name]> | RawJson }
        : null;

/** The result of lib/api.js with the option `raw`. */
type Whole<Data> = { data: Data; text: string; version: string | null };
type Told<Data, Given> = Given extends { raw: true } ? Whole<Data> : Data;

/** A call of lib/api.js without a body. */
export type Ask<Verb extends Method> = <Path extends string, Given extends Options>(
  where: Known<Verb, Path>,
  query?: Query<Verb, Path> | null,
  options?: Given,
) => Promise<Told<Answer<Verb, Path>, Given>>;

/** A call of lib/api.js with a body. */
export type Send<Verb extends Method> = <Path extends string, Given extends Options>(
  where: Known<Verb, Path>,
  body?: Body<Verb, Path>,
  options?: Given,
) => Promise<Told<Answer<Verb, Path>, Given>>;

/** Every row of a list. */
export type All = <Path extends string, Field extends keyof Answer<"get", Path> & string>(
  where: Known<"get", Path>,
  field: Field,
  query?: Query<"get", Path>,
  max?: number,
) => Promise<Answer<"get", Path>[Field]>;

/** The key of a point in a chart, times in milliseconds. */
export interface ChartSeries {
  name: string;
  /** Null where there is no value. */
  values: (number | null)[];
  /** A color, by its name in styles/charts.css. */
  tone: string;
  kind: "bar" | "line" | "area";
  unit: string;
  /** A note about the rows from one to another. */
  noteOf?: (first: number, last: number) => string | null | undefined | false;
}

export type Interval = "hour" | "day" | "week" | "month";
export type ChartAxis =
  { kind: "time"; walls: number[]; interval: Interval } | { kind: "category" };

/** The description of a chart; see lib/charts.js. */
export interface Chart {
  title: string;
  period: string;
  summary: string;
  count: number;
  keyOf: (row: number) => any;
  nameOf: (row: number) => string;
  rangeOf: (first: number, last: number) => string;
  tickOf?: (row: number, unit: string, isFirst: boolean) => string;
  machineOf: (row: number) => string;
  axis: ChartAxis;
  series: ChartSeries[];
  openAt: number;
  openText: string;
  unit: string;
  column: string;
  file: string;
  notes?: (string | null | undefined | false)[];
}

/** The same, with the fields that all charts have. */
export interface DrawnChart extends Chart {
  format: (value: number, top: number) => string;
  formatWhole: (value: number) => string;
  legend: { name: string; kind: string; tone: string }[];
}
