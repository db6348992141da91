//! Rows of the activity log without SQL: their columns, their cells, and the traits that convert
//! between values and cells.

/// The value of one column of one row.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Cell<'a> {
    /// No value.
    #[default]
    Null,
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

impl<'a> Cell<'a> {
    /// The number, if the cell holds one.
    pub fn integer(self) -> Option<i64> {
        match self {
            Self::Integer(number) => Some(number),
            _ => None,
        }
    }

    /// The text, if the cell holds text.
    pub fn text(self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes, if the cell holds bytes.
    pub fn blob(self) -> Option<&'a [u8]> {
        match self {
            Self::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }
}

macro_rules! columns {
    ($( $(#[$doc:meta])* $column:ident $name:literal $hashed:literal )*) => {
        /// A column of the activity log.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Column {
            $( $(#[$doc])* $column, )*
        }

        impl Column {
            /// All columns, in the order of the table.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$column),*];

            /// The name in the database.
            pub const fn name(self) -> &'static str {
                match self { $( Self::$column => $name, )* }
            }

            /// Whether the chain of hashes covers it. Row numbers of the file are not covered, so
            /// that a log that is moved to another file keeps its hashes.
            pub const fn is_hashed(self) -> bool {
                match self { $( Self::$column => $hashed, )* }
            }
        }
    };
}

// The order is that of the table. Those that most rows use come first: a row ends with its last
// column that is not null.
columns! {
    /// The number of the row.
    Seq "seq" false
    /// When it happened.
    At "at" true
    /// The program it happened in.
    Program "program_id" false
    /// The kind of event.
    Kind "kind" true
    /// The kind of the actor that caused it.
    Actor "actor" true
    /// The number of the actor.
    ActorNumber "actor_number" true
    /// The member it is about.
    Member "member_id" true
    /// The kind of a ledger entry.
    Entry "entry" true
    /// An amount.
    Amount "amount" true
    /// A flag of the event.
    Flag "flag" true
    /// The entry of the same account before it.
    Previous "previous_seq" false
    /// An earlier entry of the same account.
    Jump "jump_seq" false
    /// The points that the account received, this entry included.
    ReceivedAfter "received_after" true
    /// The points that it spent, this entry included.
    SpentAfter "spent_after" true
    /// The hash of the entry before the first one of a commit.
    Chain "chain" false
    /// The offer it is about.
    Offer "offer_id" true
    /// The redemption it is about.
    Redemption "redemption_id" true
    /// The state that was left.
    From "from_state" true
    /// The state that was entered.
    To "to_state" true
    /// When the created or changed object expires.
    ExpiresAt "expires_at" true
    /// The public id of an object that no other column names.
    Object "object_uuid" true
    /// A name, such as that of an environment.
    Name "name" true
    /// The organization it is about.
    Organization "organization_id" true
    /// The row that caused it.
    Cause "cause_seq" false
    /// When the created or changed object becomes usable.
    MaturesAt "matures_at" true
    /// When it was due.
    DueAt "due_at" true
    /// The asset that moved.
    Asset "asset" true
    /// The change of the bucket AVAILABLE.
    Available "available" true
    /// The change of the bucket HELD.
    Held "held" true
    /// The change of the bucket DEFERRED.
    Deferred "deferred" true
    /// The bucket HELD after the entry.
    HeldAfter "held_after" true
    /// The bucket DEFERRED after the entry.
    DeferredAfter "deferred_after" true
    /// The lots that were taken from or given to.
    Lots "lots" true
    /// The version of the rule that caused it.
    RuleVersion "rule_version" true
}

/// The cells of a row, each read on demand.
pub trait Cells {
    /// The cell of a column; null if the column was not selected.
    fn cell(&self, column: Column) -> Cell<'_>;
}

/// A row to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a>([Cell<'a>; Column::ALL.len()]);

impl Default for Row<'_> {
    fn default() -> Self {
        Self([Cell::Null; Column::ALL.len()])
    }
}

impl<'a> Row<'a> {
    /// Sets the cell of a column.
    pub fn set(&mut self, column: Column, cell: Cell<'a>) {
        self.0[column as usize] = cell;
    }

    /// Sets the cell of a column to a number, or to null.
    pub fn set_number(&mut self, column: Column, number: Option<i64>) {
        self.set(column, number.map_or(Cell::Null, Cell::Integer));
    }
}

impl Cells for Row<'_> {
    fn cell(&self, column: Column) -> Cell<'_> {
        self.0[column as usize]
    }
}

/// A value that is stored in one column.
pub(super) trait Field: Sized {
    /// The cell of the value.
    fn cell(&self) -> Cell<'_>;

    /// The value of a cell; `None` if the cell holds no such value.
    fn of(cell: Cell<'_>) -> Option<Self>;
}

impl<T: Field> Field for Option<T> {
    fn cell(&self) -> Cell<'_> {
        self.as_ref().map_or(Cell::Null, Field::cell)
    }

    fn of(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Null => Some(None),
            cell => T::of(cell).map(Some),
        }
    }
}

impl Field for bool {
    fn cell(&self) -> Cell<'_> {
        Cell::Integer(i64::from(*self))
    }

    fn of(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Integer(0) => Some(false),
            Cell::Integer(1) => Some(true),
            _ => None,
        }
    }
}

impl Field for i64 {
    fn cell(&self) -> Cell<'_> {
        Cell::Integer(*self)
    }

    fn of(cell: Cell<'_>) -> Option<Self> {
        cell.integer()
    }
}

/// A group of fields that several events share, each stored in a column.
pub(super) trait Fields: Sized {
    /// The columns.
    const COLUMNS: &'static [Column];

    /// Writes every field into its column.
    fn write<'a>(&'a self, row: &mut Row<'a>);

    /// Reads every field; `None` if a cell holds no such value.
    fn read(cells: &impl Cells) -> Option<Self>;
}

/// Declares fields and the columns that store them.
macro_rules! fields {
    (
        $(#[$doc:meta])*
        pub struct $name:ident {
            $( $(#[$field_doc:meta])* $field:ident: $type:ty = $column:ident, )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            $( $(#[$field_doc])* pub $field: $type, )*
        }

        impl $crate::domain::row::Fields for $name {
            const COLUMNS: &'static [$crate::domain::Column] =
                &[$($crate::domain::Column::$column),*];

            fn write<'a>(&'a self, row: &mut $crate::domain::row::Row<'a>) {
                use $crate::domain::row::Field as _;
                $( row.set($crate::domain::Column::$column, self.$field.cell()); )*
            }

            fn read(cells: &impl $crate::domain::row::Cells) -> Option<Self> {
                use $crate::domain::row::Field as _;
                Some(Self {
                    $( $field: <$type>::of(cells.cell($crate::domain::Column::$column))?, )*
                })
            }
        }
    };
}
pub(super) use fields;
