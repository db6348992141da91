//! The member whose data a route returns.

use crate::domain::ExternalUserId;
use crate::wire::{MEMBER_ID, flag, group, optional, query_parameters};

query_parameters! {
    /// The member whose data is returned.
    pub(super) struct MemberQuery {
        /// The member on whose behalf an Org-API-Key calls. A member token may name only its own
        /// member.
        pub(super) external_user_id: Option<ExternalUserId> = optional("externalUserID", MEMBER_ID);
    }
}

query_parameters! {
    /// The member whose list is returned, who may be a removed one.
    pub(super) struct ListedMemberQuery {
        pub(super) member: MemberQuery = group::<MemberQuery>();
        /// `true` lets an Org-API-Key name a removed member.
        pub(super) include_archived: bool = flag("includeArchived");
    }
}

impl ListedMemberQuery {
    /// The member, if one is named, and whether it may be a removed one.
    pub(super) fn subject(self) -> (Option<ExternalUserId>, bool) {
        (self.member.external_user_id, self.include_archived)
    }
}
