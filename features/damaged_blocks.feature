Feature: Blocks are damaged on the cable
  A bit flips, a block is cut or comes in pieces. Whatever cannot be read counts as not
  said, and no money depends on a guess.

  Source: PSP guide, communication format and time-outs

  @must @R-PSP-01 @R-RTY-07
  Rule: An approval that cannot be read is no decline

    @S-P01 @p6x
    Scenario: The approval is damaged, and the sessions can be listed
      Given the checksum of the next Session Approved is damaged
      And the driver has tapped
      When 2 minutes pass
      Then every session is closed within 2 minutes

    # No controller has to use what it reads in a damaged block.
    @S-P01 @apollo
    Scenario: The approval is damaged, and the sessions cannot be listed
      Given the checksum of the next Session Approved is damaged
      And nobody could know of the session
      And the driver has plugged in at connector 1
      When the driver taps
      Then no energy flows at connector 1

  @must @R-PSP-02 @R-RTY-09
  Rule: A close whose answer cannot be read is sent again, unchanged

    # 60 s for the answer to a Commit Session, and some for the way.
    @S-P02 @psp
    Scenario: The checksum of the answer is damaged
      Given the driver is charging at connector 1
      And the checksum of the answer to the next Commit Session is damaged
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds
      And the same close is sent again within 90 seconds

    @S-P04 @R-PSP-01 @psp
    Scenario Outline: The <part> of the answer is damaged
      Given the driver is charging at connector 1
      And the <part> of the answer to the next Commit Session is damaged
      When the driver unplugs at connector 1
      Then the same close is sent again within 90 seconds
      And the terminal reads cards again within 2 minutes

      Examples:
        | part     |
        | preamble |
        | magic    |

    @S-P05 @R-PSP-01 @R-RTY-06 @psp
    Scenario: The answer claims to be longer than it is
      Given the driver is charging at connector 1
      And the length of the answer to the next Commit Session is damaged
      When the driver unplugs at connector 1
      Then the same close is sent again within 90 seconds
      And the terminal reads cards again within 2 minutes

    @S-P03 @R-PSP-01 @psp
    Scenario: The end of the answer is lost
      Given the driver is charging at connector 1
      And the end of the answer to the next Commit Session is lost
      When the driver unplugs at connector 1
      Then the same close is sent again within 90 seconds
      And the driver's session is committed within 90 seconds

  @must @R-PSP-01
  Rule: Blocks are found wherever they begin and end

    @S-P03 @psp
    Scenario: Every block arrives byte by byte
      Given every block arrives byte by byte
      And the driver has plugged in at connector 1
      When the driver taps
      Then energy flows at connector 1 within 30 seconds

    @S-P03 @apollo
    Scenario: Two blocks arrive in one piece
      Given the next Card Read arrives in one piece with its successor
      And the driver has plugged in at connector 1
      When the driver taps
      Then energy flows at connector 1 within 40 seconds

    # What comes behind the card is the answer to the commit, and is read as well.
    @S-P03 @apollo
    Scenario: A card and the answer to a commit arrive in one piece
      Given the driver is charging at connector 1
      And the next Card Read arrives in one piece with its successor
      And the second driver has tapped
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds
      And the close is not sent again

    # The first byte of a P6X block can be configured, so noise may look like a block.
    @S-P04 @apollo
    Scenario: Noise comes before the answer
      Given the driver is charging at connector 1
      And noise comes before the answer to the next Commit Session
      When the driver unplugs at connector 1
      Then the driver's session is committed within 10 seconds
      And the close is not sent again

    @S-P06 @apollo
    Scenario: The terminal changes to extended blocks behind the controller's back
      Given the terminal forgets all options when its line is hung up
      And the driver is charging at connector 1
      And the terminal has changed to extended blocks
      When the driver unplugs at connector 1
      Then the driver's session is committed within 2 minutes
      And the controller sets the terminal up anew within 2 minutes

  @should @R-PSP-04 @R-SES-07
  Rule: A close that did not reach the terminal whole is sent again

    @S-P07 @psp
    Scenario: The checksum of the commit is damaged
      Given the driver is charging at connector 1
      And the checksum of the next Commit Session is damaged
      When the driver unplugs at connector 1
      Then the same close is sent again within 75 seconds
      And the driver's session is committed within 75 seconds

    @S-P07 @psp
    Scenario: The terminal finds the commit incorrect
      Given the driver is charging at connector 1
      And the terminal finds the next Commit Session incorrect
      When the driver unplugs at connector 1
      Then the same close is sent again within 75 seconds
      And the driver's session is committed within 75 seconds

    @S-P07 @R-RTY-05 @psp
    Scenario: No commit arrives whole
      Given the driver is charging at connector 1
      And the checksum of every Commit Session is damaged
      When the driver unplugs at connector 1
      Then the controller raises the alarm close failed within 10 minutes

  @must @R-PSP-03
  Rule: A status is not taken for the answer to a close

    # Both are two bytes under the same header, and a refusal is the later of the two.
    @S-P08 @apollo
    Scenario: A status comes between a commit and its refusal
      Given the terminal sends its status under the header of a Result
      And the driver is charging at connector 1
      And the next Commit Session is refused after 40 seconds
      When the driver unplugs at connector 1
      Then the driver's session is committed within 3 minutes

  @must @apollo @R-PSP-01 @R-PSP-04 @R-SES-08 @R-SES-07
  Rule: A session that the terminal does not find is not simply over

    @S-P09
    Scenario: The terminal does not find a session that nobody has closed
      Given the driver is charging at connector 1
      And the terminal does not find the session of the next two closes
      When the driver unplugs at connector 1
      Then the same close is sent again within 75 seconds
      And the driver's session is committed within 5 minutes
