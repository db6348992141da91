// The pages of a Partner Key, which are loaded together.

import { partnerCreditsPage } from "./credits.js";
import { partnerOrganizationPage } from "./organization.js";
import { partnerOrganizationsPage } from "./organizations.js";
import { partnerServerPage } from "./server.js";
import { partnerUsagePage } from "./usage.js";

export {
  partnerCreditsPage,
  partnerOrganizationPage,
  partnerOrganizationsPage,
  partnerServerPage,
  partnerUsagePage,
};
