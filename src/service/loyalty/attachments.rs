//! Files of the operator in conversations: send, read.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::conversations::{add_to, check_current, visible};
use crate::domain::{
    Attachment, AttachmentNumber, Conversation, FileName, FileType, MessageId, MessageText,
    ProgramNumber, Refusal, Role, Timestamp,
};
use crate::service::tenancy::caps::Caps;
use crate::service::tenancy::credentials::{Links, TokenKey};
use crate::service::{Answer, Caller, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services};
use crate::store::attachments::{NewAttachment, StoredFile};
use crate::store::conversations::day_of;
use crate::store::{self, Transaction, WriteError, attachments};
use crate::wire::MessageResponse;

/// How long an upload may take, by the server's clock; then it is discarded.
const UPLOAD: Duration = Duration::from_hours(1);

/// A file that the operator sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    name: FileName,
    file_type: FileType,
    bytes: Vec<u8>,
    sha256: [u8; 32],
}

/// A file for someone who has its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkedFile {
    /// The file.
    pub file: StoredFile,
    /// How long its address is still valid.
    pub valid_for: Duration,
}

impl NewFile {
    /// A file of a name and a type. It has at least one byte and at most
    /// [`Attachment::BYTES_MAX`].
    pub fn new(name: FileName, file_type: FileType, bytes: Vec<u8>) -> Self {
        Self {
            sha256: Sha256::digest(&bytes).into(),
            name,
            file_type,
            bytes,
        }
    }

    /// The hash of its bytes.
    pub fn sha256(&self) -> &[u8; 32] {
        &self.sha256
    }

    /// The number of pieces before the last one.
    fn full_pieces(&self) -> usize {
        self.bytes.len().saturating_sub(1) / Attachment::PIECE_BYTES
    }

    fn piece(&self, number: usize) -> &[u8] {
        let start = number * Attachment::PIECE_BYTES;
        let end = self.bytes.len().min(start + Attachment::PIECE_BYTES);
        &self.bytes[start..end]
    }

    /// Begins the upload, unless it exceeds a limit.
    fn begin(
        &self,
        tx: &mut Transaction<'_>,
        caps: Caps,
        program: ProgramNumber,
    ) -> Result<AttachmentNumber, ServiceError> {
        let day = day_of(tx.now(program));
        let size = i64::try_from(self.bytes.len()).unwrap_or(i64::MAX);
        caps.check_attachment(tx, (program, day), size)?;
        let new = NewAttachment {
            program,
            name: &self.name,
            file_type: self.file_type,
            size,
            sha256: &self.sha256,
            day,
        };
        let discard_at = tx.clock_now().saturating_add(UPLOAD);
        Ok(attachments::begin(tx, new, discard_at)?)
    }
}

impl Services {
    /// Sends a file as a message of the operator. A large one is written in pieces between other
    /// writes; the last write makes the message.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn send_attachment(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        conversation: String,
        file: NewFile,
    ) -> Result<Reply, WriteError> {
        let file = Arc::new(file);
        let mut upload = None;
        if file.full_pieces() > 0 {
            let to = conversation.clone();
            match self
                .begin_upload(key, idempotency.clone(), to, &file)
                .await?
            {
                Ok(begun) => upload = Some(begun),
                Err(answered) => return Ok(answered),
            }
        }
        let sent = self.finish_upload(key, idempotency, (conversation, &file), upload);
        let sent = sent.await;
        let is_published = sent
            .as_ref()
            .is_ok_and(|reply| reply.status == 201 && !reply.is_replay);
        if let Some(upload) = upload.filter(|_| !is_published) {
            self.discard_upload(upload).await;
        }
        sent
    }

    /// The file of an address.
    ///
    /// # Errors
    /// `NOT_FOUND` if the server did not make the address, it has expired, the file was erased, or
    /// its program or organization is not active.
    pub async fn get_attachment(&self, signature: &str) -> Result<LinkedFile, ServiceError> {
        let not_found = || ServiceError::Refused(Refusal::NotFound("file"));
        let links = self.links();
        let linked = links
            .open(signature)
            .filter(|linked| self.directory.is_active(linked.program))
            .ok_or_else(not_found)?;
        let tenant = self.directory.tenant_of(linked.program);
        let found = self.read(tenant, move |connection| {
            let found = attachments::content(connection, linked.program, linked.message);
            Ok(found?)
        });
        Ok(LinkedFile {
            file: found.await?.ok_or_else(not_found)?,
            valid_for: links.valid_for(&linked),
        })
    }

    /// Begins an upload and writes the pieces before the last one. Returns the response instead if
    /// there is one already: a refusal, or that of an earlier request with the same key.
    async fn begin_upload(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        conversation: String,
        file: &Arc<NewFile>,
    ) -> Result<Result<AttachmentNumber, Reply>, WriteError> {
        let (hand_over, begun) = mpsc::channel();
        let (caps, first) = (self.limits.caps, Arc::clone(file));
        let write = self.write(key, idempotency, move |tx, key| {
            recipient(tx, *key, &conversation)?;
            let upload = first.begin(tx, caps, key.program)?;
            attachments::add_piece(tx, upload, 0, first.piece(0))?;
            // The receiver waits for the write.
            let _ = hand_over.send(upload);
            Ok(Answer::provisional())
        });
        let answered = write.await?;
        let Ok(upload) = begun.try_recv() else {
            return Ok(Err(answered));
        };
        for number in 1..file.full_pieces() {
            let file = Arc::clone(file);
            let add = self.write(key, None, move |tx, _| {
                attachments::add_piece(tx, upload, number, file.piece(number))?;
                Ok(Answer::provisional())
            });
            let added = add.await;
            if !added.as_ref().is_ok_and(|reply| reply.status == 204) {
                self.discard_upload(upload).await;
                return added.map(Err);
            }
        }
        Ok(Ok(upload))
    }

    /// Writes the last piece and makes the message.
    async fn finish_upload(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        (conversation, file): (String, &Arc<NewFile>),
        upload: Option<AttachmentNumber>,
    ) -> Result<Reply, WriteError> {
        let (caps, file, tokens) = (self.limits.caps, Arc::clone(file), Arc::clone(&self.tokens));
        self.write(key, idempotency, move |tx, key| {
            let program = key.program;
            let conversation = recipient(tx, *key, &conversation)?;
            let upload = match upload {
                Some(upload) => upload,
                None => file.begin(tx, caps, program)?,
            };
            let last = file.full_pieces();
            attachments::add_piece(tx, upload, last, file.piece(last))?;
            let at = tx.now(program);
            let place = (program, &conversation);
            let shown = publish(tx, place, (upload, &tokens), at)?;
            Ok(Answer::created(&shown).with_words_of(conversation.member))
        })
        .await
    }

    /// Deletes what was written of an upload that will not be finished. If that fails, it is
    /// deleted later.
    async fn discard_upload(&self, upload: AttachmentNumber) {
        let upkeep = self.writer.upkeep();
        let discard = upkeep.write(move |tx| {
            attachments::give_up(tx, upload)?;
            attachments::discard_step(tx)
        });
        if let Err(error) = discard.await {
            tracing::debug!(%error, "an unfinished upload is deleted later");
        }
    }

    /// Deletes the bytes of erased files, some at a time. If that fails, they are deleted later.
    pub(in crate::service) async fn discard_erased_files(&self) {
        let upkeep = self.writer.upkeep();
        loop {
            match upkeep.write(attachments::discard_step).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    tracing::warn!(%error, "the bytes of erased files are deleted later");
                    return;
                }
            }
        }
    }
}

/// The conversation that a key sends a file to.
fn recipient(
    tx: &Transaction<'_>,
    key: KeyPrincipal,
    id: &str,
) -> Result<Conversation, ServiceError> {
    let conversation = visible(tx, &Caller::Key(key), id)?;
    check_current(tx, key.program, &conversation)?;
    Ok(conversation)
}

/// Makes the message of an upload.
fn publish(
    tx: &mut Transaction<'_>,
    (program, conversation): (ProgramNumber, &Conversation),
    (upload, tokens): (AttachmentNumber, &Arc<TokenKey>),
    at: Timestamp,
) -> Result<MessageResponse, ServiceError> {
    let id = MessageId::from_uuid(Uuid::now_v7());
    let what = (id, Role::Agent, &MessageText::empty());
    let number = add_to(tx, (program, conversation), what, at)?;
    attachments::publish(tx, upload, number)?;
    let (message, _) =
        store::conversations::find_message(tx, id)?.ok_or(store::Error::Impossible("message"))?;
    let link = Links::new(tokens, tx.clock_now()).of(program, &message);
    let author = conversation.external_user_id.as_str();
    Ok(MessageResponse::new(&message, author, link))
}
