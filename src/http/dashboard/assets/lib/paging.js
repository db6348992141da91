// Lists that are shown page by page and stay correct while rows change.

import { button } from "./parts.js";

/** The API's limit for a page. */
const PAGE_MAX = 100;

/**
 * A list that requests as many rows again as are shown, so that an update neither drops later pages
 * nor shows a row twice.
 *
 * @template Row
 * @param {(page: { limit: number, cursor?: string }) => Promise<any>} ask requests one page
 * @param {string} field the field of the response with the rows
 * @param {number} [size] how many rows are shown at first, and added each time
 */
export function pagedList(ask, field, size = 25) {
  let wanted = size;
  return {
    /**
     * @returns {Promise<{ rows: Row[], hasMore: boolean, first: any }>} `first`: a complete
     *   response
     */
    async fetch() {
      const rows = [];
      /** @type {any} */
      let page;
      do {
        const limit = Math.min(PAGE_MAX, wanted - rows.length);
        const next = await ask({ limit, cursor: page?.nextCursor });
        page = { first: page?.first ?? next, nextCursor: next.nextCursor };
        rows.push(...next[field]);
      } while (page.nextCursor && rows.length < wanted);
      return { rows, hasMore: Boolean(page.nextCursor), first: page.first };
    },
    more: () => (wanted += size),
    reset: () => (wanted = size),
  };
}

/**
 * The button below such a list, if there are more rows.
 * @param {ReturnType<typeof pagedList>} list
 * @param {boolean} hasMore
 * @param {() => any} again shows the list again
 */
export function moreButton(list, hasMore, again) {
  const press = () => {
    list.more();
    return again();
  };
  return hasMore && button("Show more", press, { "data-key": "more" });
}
